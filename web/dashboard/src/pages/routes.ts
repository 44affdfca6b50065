import type { ComponentType } from "preact";
import { match } from "../state/router";

// What a page is given: the named parts of its path.
export interface PageProps {
  parts: Record<string, string>;
}
export type Page = ComponentType<PageProps>;

export interface Route {
  pattern: string;
  load: () => Promise<Page>; // its own chunk
  bare?: boolean; // without the frame's navigation: signing in, setting up, shared pages
  open?: boolean; // for people who have not signed in
}

// The first that matches counts.
export const ROUTES: readonly Route[] = [
  { pattern: "/ui", load: () => import("./projects/ProjectsPage").then((page) => page.ProjectsPage) },
  { pattern: "/ui/p/:name", load: () => import("./project/ProjectPage").then((page) => page.ProjectPage) },
  {
    pattern: "/ui/share/:token",
    bare: true,
    open: true,
    load: () => import("./share/SharePage").then((page) => page.SharePage),
  },
];

export function findRoute(path: string): { route: Route; parts: Record<string, string> } | null {
  for (const route of ROUTES) {
    const parts = match(route.pattern, path);
    if (parts) return { route, parts };
  }
  return null;
}
