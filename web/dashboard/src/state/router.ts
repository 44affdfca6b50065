import { createStore, useStore } from "./store";

// The address bar. Pages are paths below /ui/; links are plain <a href>, which followLinks() turns into navigations
// without loading anew.
export interface Location {
  path: string; // decoded nowhere
  search: string; // with its '?', or ''
  hash: string;
}

const read = (): Location => ({ path: window.location.pathname, search: window.location.search, hash: window.location.hash });

export const locationStore = createStore<Location>(
  typeof window === "undefined" ? { path: "/ui/", search: "", hash: "" } : read(),
);
export const useLocation = () => useStore(locationStore);

// Goes to `url` (path and query of this origin). `replace`: Back does not come here again.
export function navigate(url: string, options: { replace?: boolean; keepScroll?: boolean } = {}): void {
  const target = new URL(url, window.location.href);
  if (target.href === window.location.href) return;
  if (options.replace) window.history.replaceState(null, "", target);
  else window.history.pushState(null, "", target);
  const samePage = target.pathname === locationStore.get().path;
  locationStore.set(read());
  if (!samePage && !options.keepScroll) window.scrollTo(0, 0);
}

// Whether a click on this link is ours to follow.
function inside(event: MouseEvent, link: HTMLAnchorElement): boolean {
  return (
    event.button === 0 &&
    !event.defaultPrevented &&
    !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) &&
    (!link.target || link.target === "_self") &&
    !link.hasAttribute("download") &&
    link.origin === window.location.origin &&
    (link.pathname === "/ui" || link.pathname.startsWith("/ui/")) &&
    !link.pathname.startsWith("/ui/assets/")
  );
}

export function followLinks(): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || !inside(event, link)) return;
    if (link.hash && link.pathname === window.location.pathname && link.search === window.location.search) return;
    event.preventDefault();
    navigate(link.pathname + link.search + link.hash);
  });
  window.addEventListener("popstate", () => locationStore.set(read()));
  window.addEventListener("hashchange", () => locationStore.set(read()));
}

// match("/ui/p/:name/settings/:tab?", path): the named parts, decoded; null when it does not match. `?`: may be absent.
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/").filter(Boolean);
  const given = path.split("/").filter(Boolean);
  if (given.length > wanted.length) return null;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index];
    if (part.startsWith(":")) {
      const optional = part.endsWith("?");
      if (value === undefined) {
        if (!optional) return null;
        continue;
      }
      try {
        found[part.slice(1, optional ? -1 : undefined)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (part !== value) return null;
  }
  return found;
}

export const projectPath = (name: string, rest = "") => `/ui/p/${encodeURIComponent(name)}${rest}`;
