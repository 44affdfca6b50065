import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { projectPath } from "../../state/router";
import { findProject, mayAs, useSession } from "../../state/session";
import { EmptyState } from "../../ui/States";
import { NotFoundPage } from "../NotFoundPage";
import type { PageProps } from "../routes";
import { AccountTab } from "./AccountTab";
import { AuditTab } from "./AuditTab";
import { GeneralTab } from "./GeneralTab";
import { AnnotationsTab, GoalsTab, PropertiesTab, SegmentsTab } from "./ItemsTab";
import { KeysTab } from "./KeysTab";
import { PeopleTab } from "./PeopleTab";
import { RulesTab } from "./RulesTab";
import { SharesTab } from "./SharesTab";
import { SnippetTab } from "./SnippetTab";
import { SystemTab } from "./SystemTab";
import type { TabProps } from "./tabs";
import "../pages.css";
import "./settings.css";

interface Tab {
  key: string;
  title: string;
  wide?: boolean;
  show: () => ComponentChildren;
}

function projectTabs(tab: TabProps, editor: boolean): Tab[] {
  const own: Tab[] = [{ key: "segments", title: "Segments", show: () => <SegmentsTab {...tab} /> }];
  if (!editor) return own;
  const edited: Tab[] = [
    { key: "snippet", title: "Send events", show: () => <SnippetTab {...tab} /> },
    { key: "goals", title: "Goals", show: () => <GoalsTab {...tab} /> },
    { key: "properties", title: "Properties", show: () => <PropertiesTab {...tab} /> },
    ...own,
    { key: "annotations", title: "Annotations", show: () => <AnnotationsTab {...tab} /> },
  ];
  if (!tab.admin) return edited;
  return [
    { key: "general", title: "General", show: () => <GeneralTab {...tab} /> },
    ...edited,
    { key: "exclusions", title: "Exclusions", show: () => <RulesTab {...tab} /> },
    { key: "shares", title: "Shared links", wide: true, show: () => <SharesTab {...tab} /> },
    { key: "people", title: "People", wide: true, show: () => <PeopleTab project={tab.project} /> },
    { key: "keys", title: "API keys", wide: true, show: () => <KeysTab project={tab.project} /> },
  ];
}

function weirTabs(owner: boolean, admin: boolean): Tab[] {
  return [
    { key: "account", title: "Your account", show: () => <AccountTab /> },
    ...(owner ? [{ key: "people", title: "People", wide: true, show: () => <PeopleTab project={null} /> }] : []),
    ...(admin ? [{ key: "keys", title: "API keys", wide: true, show: () => <KeysTab project={null} /> }] : []),
    ...(owner
      ? [
          { key: "system", title: "System", wide: true, show: () => <SystemTab /> },
          { key: "audit", title: "Audit log", wide: true, show: () => <AuditTab /> },
        ]
      : []),
  ];
}

// Settings of a project, or of weir and the person.
export function SettingsPage({ parts }: PageProps) {
  const session = useSession();
  const name = parts.name ?? null;
  const project = name === null ? null : findProject(session, name);
  const owner = session?.user?.role === "owner";
  const tabs =
    project !== null
      ? projectTabs({ project: project.name, admin: mayAs(project, "admin"), owner }, mayAs(project, "editor"))
      : weirTabs(owner, owner || session?.user?.role === "admin");
  const wanted = parts.tab ?? tabs[0]!.key;
  const tab = tabs.find((each) => each.key === wanted) ?? (wanted === "general" ? tabs[0] : undefined);
  useEffect(() => {
    document.title = `${tab?.title ?? "Settings"} · ${name ?? "weir"}`;
  }, [tab?.title, name]);
  // Where the tabs are a line that scrolls, the one that is open is in sight.
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    const here = nav.current?.querySelector<HTMLElement>("[aria-current]");
    if (nav.current && here) nav.current.scrollLeft = here.offsetLeft - (nav.current.clientWidth - here.offsetWidth) / 2;
  }, [tab?.key]);
  if (name !== null && !project) return <NotFoundPage />;
  const base = name === null ? "/ui/settings" : projectPath(name, "/settings");
  return (
    <>
      <div class="page-head">
        <h1>{name === null ? "Settings" : `Settings of ${name}`}</h1>
      </div>
      <div class="settings">
        <nav class="settings-nav" ref={nav} aria-label="Settings">
          {tabs.map((each) => (
            <a key={each.key} href={`${base}/${each.key}`} aria-current={each === tab ? "page" : undefined}>
              {each.title}
            </a>
          ))}
        </nav>
        <div class="settings-body" data-wide={tab?.wide ?? false}>
          {tab ? (
            <div key={tab.key} class="settings-body" data-wide="true">
              {tab.show()}
            </div>
          ) : (
            <EmptyState title="There are no such settings">
              <p>They may be for people with another role.</p>
            </EmptyState>
          )}
        </div>
      </div>
    </>
  );
}
