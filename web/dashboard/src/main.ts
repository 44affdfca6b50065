import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/layout.css";

// All the rest follows (start.tsx). Until it is there, a page that was served with its first view is not dead: links in it lead
// where they say, as in any page, and the button that was pressed last is pressed again once somebody listens.

const app = document.getElementById("app")!;
let pressed: HTMLButtonElement | null = null;
const remember = (event: MouseEvent) => {
  pressed = (event.target as Element | null)?.closest("button") ?? null;
};

async function follow(): Promise<void> {
  try {
    const { start } = await import("./start");
    await start(app);
    document.removeEventListener("click", remember);
    if (pressed?.isConnected) pressed.click();
  } catch (why) {
    const told = document.createElement("p");
    told.className = "notice";
    told.textContent = `A part of this page could not be loaded; reload it to try again. ${why instanceof Error ? why.message : String(why)}`;
    app.prepend(told);
  }
}

// A slow browser shows what it has before it reads all the rest, and the numbers too where they come soon (firstNumbers.ts). A page
// that nobody sees is never painted.
const PATIENCE_MS = 300;
const shown = () =>
  new Promise<void>((resolve) => {
    const paint = () => requestAnimationFrame(() => setTimeout(resolve));
    // NUMBERS_ID of api/firstAnswers.ts, which would bring the whole bundle in here.
    if (document.getElementById("first-numbers")) document.addEventListener("first-numbers", paint);
    else paint();
    setTimeout(resolve, PATIENCE_MS);
  });

document.addEventListener("click", remember);
void (app.hasChildNodes() ? shown().then(follow) : follow());
