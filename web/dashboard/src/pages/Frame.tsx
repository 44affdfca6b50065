import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { api, asApiError } from "../api/client";
import { navigate, projectPath, useLocation } from "../state/router";
import { findProject, loadSession, mayAs, useSession } from "../state/session";
import { setTheme, useTheme, type Theme } from "../state/theme";
import { Icon } from "../ui/Icon";
import { Menu, type MenuEntry } from "../ui/Menu";
import { toast } from "../ui/Toast";

const THEMES: { key: Theme; title: string }[] = [
  { key: "auto", title: "As the system" },
  { key: "light", title: "Light" },
  { key: "dark", title: "Dark" },
];

async function signOut(): Promise<void> {
  try {
    await api.del("/api/v1/session");
    await loadSession();
    navigate("/ui/login");
  } catch (error) {
    toast(`Not signed out: ${asApiError(error).message}`, "bad");
  }
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b6e8a" />
      <path d="M5 11c3.7 0 3.7 3 7.3 3s3.7-3 7.4-3 3.6 3 7.3 3" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" />
      <path d="M8 19v7M13.3 19v7M18.7 19v7M24 19v7" stroke="#9fdcec" stroke-width="2.6" stroke-linecap="round" />
    </svg>
  );
}

function navigation(project: string | null, role: ReturnType<typeof findProject>, signedIn: boolean): { href: string; title: string }[] {
  if (!signedIn) return [];
  if (project === null)
    return [
      { href: "/ui/", title: "Projects" },
      { href: "/ui/sql", title: "SQL" },
      { href: "/ui/settings/account", title: "Settings" },
    ];
  const links = [
    { href: projectPath(project), title: "Overview" },
    { href: projectPath(project, "/live"), title: "Live" },
  ];
  if (mayAs(role, "editor")) links.push({ href: projectPath(project, "/sql"), title: "SQL" });
  links.push({ href: projectPath(project, "/settings/general"), title: "Settings" });
  return links;
}

// Two addresses are one place when they name the same page, whatever its tab.
const isHere = (href: string, path: string) =>
  href === path || (href.includes("/settings/") && path.startsWith(href.slice(0, href.lastIndexOf("/") + 1)));

// What stands around every page: brand, navigation, the person's menu. `bare`: the brand alone.
export function Frame({ bare, project, children }: { bare: boolean; project: string | null; children: ComponentChildren }) {
  const session = useSession();
  const location = useLocation();
  const theme = useTheme();
  const main = useRef<HTMLElement>(null);
  const embedded = bare && new URLSearchParams(location.search).has("embed");
  const first = useRef(true);
  useEffect(() => {
    // A new page is announced by the focus, unless it has put it somewhere; the first one by the browser itself.
    if (!first.current && !main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [location.path]);

  const user = session?.user ?? null;
  const links = bare ? [] : navigation(project, project === null ? null : findProject(session, project), user !== null);
  const projects: MenuEntry[] = (session?.projects ?? []).map((each) => ({
    key: each.id,
    title: each.name,
    checked: each.name === project,
    onPick: () => navigate(projectPath(each.name)),
  }));
  const personal: MenuEntry[] = [
    ...(user
      ? ([
          { kind: "title", title: user.email },
          { key: "account", title: "Your account", href: "/ui/settings/account" },
          { kind: "rule" },
        ] satisfies MenuEntry[])
      : []),
    { kind: "title", title: "Appearance" },
    ...THEMES.map((each) => ({ key: each.key, title: each.title, checked: theme === each.key, onPick: () => setTheme(each.key) })),
    ...(user
      ? ([{ kind: "rule" }, { key: "out", title: "Sign out", onPick: () => void signOut() }] satisfies MenuEntry[])
      : []),
  ];
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      {embedded ? null : (
        <header class="frame-top">
          <div class="frame-bar">
            <a class="frame-brand" href="/ui/" aria-label="weir: all projects">
              <Mark />
              <span class={links.length > 0 ? "frame-wide-only" : undefined}>weir</span>
            </a>
            {project !== null && projects.length > 0 && !bare ? (
              <Menu
                start
                plain
                label="Project"
                title={<strong title={project}>{project}</strong>}
                entries={[...projects, { kind: "rule" }, { key: "all", title: "All projects", href: "/ui/" }]}
              />
            ) : null}
            <nav class="frame-nav" aria-label="Main">
              {links.map((link) => (
                <a key={link.href} href={link.href} aria-current={isHere(link.href, location.path) ? "page" : undefined}>
                  {link.title}
                </a>
              ))}
            </nav>
            <Menu plain label="Account and appearance" title={<Icon name="user" size={20} />} chevron={false} entries={personal} />
          </div>
        </header>
      )}
      <main class="frame-main" id="main" tabIndex={-1} ref={main}>
        {children}
      </main>
    </div>
  );
}
