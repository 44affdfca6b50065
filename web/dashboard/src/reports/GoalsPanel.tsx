import { PROPERTY } from "../state/dimensions";
import { projectPath } from "../state/router";
import { mayAs } from "../state/session";
import { useProject } from "../state/project";
import { Menu } from "../ui/Menu";
import { EmptyState, Skeleton } from "../ui/States";
import { Tabs } from "../ui/Tabs";
import { useSeen } from "../ui/useSeen";
import { ListReport, PanelFrame } from "./ListPanel";

const TABS = [
  { key: "event:goal", title: "Goals" },
  { key: "properties", title: "Properties" },
  { key: "event:name", title: "Events" },
];

// Goals with their conversions and revenue, the properties of events, all events by name.
export function GoalsPanel() {
  const { project, shared, state, items, go } = useProject();
  const { ref, seen } = useSeen<HTMLDivElement>();
  const wanted = state.tabs.goals ?? "";
  const keys = items.properties.map((property) => property.key);
  const property = wanted.startsWith(PROPERTY) ? wanted.slice(PROPERTY.length) : (keys[0] ?? null);
  const usual = items.goals.length > 0 || !items.settled ? "event:goal" : "event:name";
  const tab = wanted.startsWith(PROPERTY) ? "properties" : TABS.some((each) => each.key === wanted) ? wanted : usual;
  const choose = (key: string) => go({ tabs: { ...state.tabs, goals: key } });
  const maySet = !shared && mayAs(project, "editor");

  let body;
  let detail: string | null = tab === "properties" ? (property === null ? null : PROPERTY + property) : tab;
  if (!items.settled) body = <Skeleton lines={6} height={1.7} label="Loading goals" />;
  else if (tab === "event:goal" && items.goals.length === 0) {
    detail = null;
    body = (
      <EmptyState title="No goals yet">
        <p>
          A goal is an event or a page that you want visitors to reach: a sign-up, a purchase, the page after a form.{" "}
          {maySet ? <a href={projectPath(project.name, "/settings/goals")}>Set the first goal</a> : "An editor of this project can set them."}
        </p>
      </EmptyState>
    );
  } else if (tab === "properties" && property === null) {
    body = (
      <EmptyState title="No properties yet">
        <p>
          Events may carry details of their own (<code>details</code>), such as a plan or a theme.{" "}
          {maySet ? <a href={projectPath(project.name, "/settings/properties")}>Choose which to show here</a> : "An editor of this project can choose which are shown."}
        </p>
      </EmptyState>
    );
  } else {
    const dimension = tab === "properties" ? PROPERTY + property : tab;
    body = (
      <ListReport
        dimension={dimension}
        title={tab === "event:goal" ? "Goals" : tab === "properties" ? "Properties" : "Events"}
        seen={seen}
        metrics={dimension === "event:goal" ? undefined : ["visitors", "events", "percentage"]}
      />
    );
  }
  return (
    <PanelFrame
      title="Goals and events"
      wide
      detail={detail}
      tabs={
        <div class="panel-tabs">
          <Tabs label="Goals and events" tabs={TABS} selected={tab} panelId="panel-goals" onSelect={choose} />
          {tab === "properties" && keys.length > 0 ? (
            <Menu
              small
              plain
              label="Property"
              title={property}
              entries={keys.map((key) => ({ key, title: key, checked: key === property, onPick: () => choose(PROPERTY + key) }))}
            />
          ) : null}
        </div>
      }
    >
      <div ref={ref} id="panel-goals" class="panel-content">
        {body}
      </div>
    </PanelFrame>
  );
}
