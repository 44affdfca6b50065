import type { ComponentChildren } from "preact";
import { lazy } from "./lazy";
import { dimensionName, hasPlaces } from "../state/dimensions";
import { useProject } from "../state/project";
import { useQuery } from "../state/useQuery";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";
import { EmptyState, ErrorState, Skeleton } from "../ui/States";
import { Tabs } from "../ui/Tabs";
import { useSeen } from "../ui/useSeen";
import { Rows } from "./Rows";
import { currentTab, panelMetrics, panelQuery, shownOf, tabKey, type Panel } from "./panels";

const MapReport = lazy(() => import("./MapReport").then((module) => module.MapReport), 17);

// The frame of a panel: its title, its tabs, the way to the detail view.
export function PanelFrame({
  title,
  tabs,
  detail,
  busy,
  wide,
  children,
}: {
  title: string;
  tabs?: ComponentChildren;
  detail?: string | null; // the dimension that its detail view is of
  busy?: boolean;
  wide?: boolean;
  children: ComponentChildren;
}) {
  const { href } = useProject();
  return (
    <section class={wide ? "card panel panel-wide" : "card panel"} aria-label={title} aria-busy={busy}>
      <div class="panel-head">
        <h2>{title}</h2>
        {tabs}
      </div>
      <div class="panel-body">{children}</div>
      {detail ? (
        <div class="panel-foot">
          <a class="panel-detail" href={href({ detail: { dimension: detail, search: "", sort: "", page: 1, row: null } })}>
            <Icon name="expand" size={13} /> Details
            <span class="sr-only"> of {dimensionName(detail)}</span>
          </a>
        </div>
      ) : null}
    </section>
  );
}

// One list under a panel's tabs.
export function ListReport({ dimension, title, seen, metrics }: { dimension: string; title: string; seen: boolean; metrics?: string[] }) {
  const { project, state, today, round } = useProject();
  const asked = metrics ?? panelMetrics(dimension, state.filters);
  const loaded = useQuery(seen ? panelQuery(project.name, state, today, dimension, asked) : null, round);
  if (loaded.error) return <ErrorState what={`${title} could not be had`} message={loaded.error.message} onRetry={loaded.retry} />;
  // While another list is on its way the one before is not shown under the new title.
  if (!loaded.data || loaded.data.query.dimensions?.toString() !== dimension) return <Skeleton lines={9} height={1.7} label={`Loading ${title}`} />;
  if (loaded.data.results.length === 0)
    return (
      <EmptyState title="Nothing here in this range">
        <p>{state.filters.length > 0 ? "Take away a filter, or choose a longer range." : "Choose a longer range, or wait for visitors."}</p>
      </EmptyState>
    );
  return <Rows dimension={dimension} metrics={asked} answer={loaded.data} first={dimensionName(dimension)} />;
}

export function ListPanel({ panel }: { panel: Panel }) {
  const { state, go } = useProject();
  const { ref, seen } = useSeen<HTMLDivElement>();
  const tab = currentTab(panel, state);
  const shown = shownOf(tab, state.filters);
  const choose = (key: string) => {
    const tabs = { ...state.tabs, [panel.key]: key };
    if (key === tabKey(panel.tabs[0]!)) delete tabs[panel.key]; // the first is what an address without it means
    go({ tabs });
  };
  const inMenu = panel.more?.tabs.some((each) => each === tab) ?? false;
  const id = `panel-${panel.key}`;
  const tabs = (
    <div class="panel-tabs">
      <Tabs
        label={panel.title}
        tabs={panel.tabs.map((each) => ({ key: tabKey(each), title: each.title }))}
        selected={inMenu ? "" : tabKey(tab)}
        panelId={id}
        onSelect={choose}
      />
      {panel.more ? (
        <Menu
          small
          plain
          label={panel.title}
          title={<span class={inMenu ? "tab-chosen" : undefined}>{inMenu ? tab.title : panel.more.title}</span>}
          entries={panel.more.tabs.map((each) => ({
            key: tabKey(each),
            title: each.title,
            checked: each === tab,
            onPick: () => choose(tabKey(each)),
          }))}
        />
      ) : null}
    </div>
  );
  return (
    <PanelFrame title={panel.title} tabs={tabs} detail={shown.dimension}>
      <div ref={ref} id={id} class="panel-content">
        {tab.map ? seen ? <MapReport /> : null : <ListReport dimension={shown.dimension} title={shown.title} seen={seen} />}
      </div>
      {hasPlaces(shown.dimension) ? (
        <p class="panel-note">
          <a href="https://db-ip.com" rel="noopener" target="_blank">
            IP geolocation by DB-IP
          </a>
        </p>
      ) : null}
    </PanelFrame>
  );
}
