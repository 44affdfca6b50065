import { createStore, useStore } from "./store";

// auto: as the system says. The choice stays in this browser, and index.html knows its name too: the page is in its colours
// before any of this is here.
export type Theme = "auto" | "light" | "dark";
const KEY = "weir.theme";

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // storage is refused in some embedded pages
  }
}

export const themeStore = createStore<Theme>(typeof localStorage === "undefined" ? "auto" : stored());
export const useTheme = () => useStore(themeStore);

const dark = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-color-scheme: dark)");
// The looks in use, auto resolved: what canvases draw with.
export const looksStore = createStore<"light" | "dark">("light");
export const useLooks = () => useStore(looksStore);

function apply(): void {
  const theme = themeStore.get();
  const looks = theme === "auto" ? (dark?.matches ? "dark" : "light") : theme;
  document.documentElement.dataset.theme = looks;
  looksStore.set(looks);
}

export function setTheme(theme: Theme): void {
  try {
    if (theme === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // The choice then lasts as long as the page.
  }
  themeStore.set(theme);
  apply();
}

export function startTheme(): void {
  const asked = new URLSearchParams(window.location.search).get("theme"); // an embedding page says what fits
  if (asked === "light" || asked === "dark") themeStore.set(asked);
  dark?.addEventListener("change", apply);
  apply();
}
