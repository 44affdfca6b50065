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
  { pattern: "/ui/login", load: () => import("./access/LoginPage").then((page) => page.LoginPage), bare: true, open: true },
  { pattern: "/ui/setup", load: () => import("./access/SetupPage").then((page) => page.SetupPage), bare: true, open: true },
  { pattern: "/ui/invite", load: () => import("./access/InvitePage").then((page) => page.InvitePage), bare: true, open: true },
  { pattern: "/ui/sql", load: () => import("./sql/SqlPage").then((page) => page.SqlPage) },
  { pattern: "/ui/settings/:tab?", load: () => import("./settings/SettingsPage").then((page) => page.SettingsPage) },
  { pattern: "/ui/p/:name/live", load: () => import("./live/LivePage").then((page) => page.LivePage) },
  { pattern: "/ui/p/:name/sql", load: () => import("./sql/SqlPage").then((page) => page.SqlPage) },
  { pattern: "/ui/p/:name/settings/:tab?", load: () => import("./settings/SettingsPage").then((page) => page.SettingsPage) },
  { pattern: "/ui/p/:name", load: () => import("./project/Dashboard").then((page) => page.ProjectPage) },
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
