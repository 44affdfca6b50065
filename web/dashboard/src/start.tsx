import { render } from "preact";
import { NUMBERS_ID } from "./api/firstAnswers";
import { App, prepare } from "./pages/App";
import { followLinks } from "./state/router";
import { startTheme } from "./state/theme";

// What the first page takes is often there already: then it is drawn once, and not first without it.
const PATIENCE_MS = 200;

// Draws the page in `app`. What stands there is taken over where it is the same.
export async function start(app: HTMLElement): Promise<void> {
  startTheme();
  followLinks();
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  await Promise.race([prepare(), patience]);
  document.getElementById(NUMBERS_ID)?.remove(); // too late for them
  render(<App />, app);
}
