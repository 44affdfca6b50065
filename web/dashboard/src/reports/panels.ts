import type { Query } from "../api/query";
import type { Filter } from "../api/types";
import { baseQuery, comparisons, type DashboardState } from "../state/dashboard";
import { goalOf, isLeaf } from "../state/filters";

// The panels and their tabs. A tab is a dimension; `deeper` takes its place once one value of it is filtered by (a
// browser's versions, say).
export interface PanelTab {
  dimension: string;
  title: string;
  deeper?: { dimension: string; title: string };
  map?: boolean;
}
export interface Panel {
  key: string;
  title: string;
  tabs: readonly PanelTab[];
  more?: { title: string; tabs: readonly PanelTab[] }; // in a menu at the end of the tabs
}

export const PANELS: Record<"sources" | "pages" | "places" | "devices", Panel> = {
  sources: {
    key: "sources",
    title: "Sources",
    tabs: [
      { dimension: "visit:channel", title: "Channels" },
      { dimension: "visit:source", title: "Sources", deeper: { dimension: "visit:referrer", title: "Referrers" } },
    ],
    more: {
      title: "Campaigns",
      tabs: [
        { dimension: "visit:utm_campaign", title: "UTM campaigns" },
        { dimension: "visit:utm_source", title: "UTM sources" },
        { dimension: "visit:utm_medium", title: "UTM media" },
        { dimension: "visit:utm_term", title: "UTM terms" },
        { dimension: "visit:utm_content", title: "UTM contents" },
        { dimension: "visit:referrer", title: "Referrers" },
      ],
    },
  },
  pages: {
    key: "pages",
    title: "Pages",
    tabs: [
      { dimension: "event:page", title: "Top pages" },
      { dimension: "visit:entry_page", title: "Entry pages" },
      { dimension: "visit:exit_page", title: "Exit pages" },
    ],
    more: {
      title: "More",
      tabs: [
        { dimension: "event:title", title: "Titles" },
        { dimension: "event:hostname", title: "Hostnames" },
        { dimension: "event:app_version", title: "App versions" },
      ],
    },
  },
  places: {
    key: "places",
    title: "Locations",
    tabs: [
      { dimension: "visit:country", title: "Map", map: true },
      { dimension: "visit:country", title: "Countries" },
      { dimension: "visit:region", title: "Regions" },
      { dimension: "visit:city", title: "Cities" },
      { dimension: "visit:locale", title: "Languages" },
    ],
  },
  devices: {
    key: "devices",
    title: "Devices",
    tabs: [
      { dimension: "visit:browser", title: "Browsers", deeper: { dimension: "visit:browser_version", title: "Browser versions" } },
      { dimension: "visit:os", title: "Systems", deeper: { dimension: "visit:os_version", title: "System versions" } },
      { dimension: "visit:device", title: "Devices" },
      { dimension: "visit:screen", title: "Screens" },
    ],
  },
};

// As the address names a tab. The map and the list of countries are of one dimension.
export const tabKey = (tab: PanelTab): string => (tab.map ? "map" : tab.dimension);

export function currentTab(panel: Panel, state: DashboardState): PanelTab {
  const wanted = state.tabs[panel.key];
  const all = [...panel.tabs, ...(panel.more?.tabs ?? [])];
  return all.find((tab) => tabKey(tab) === wanted) ?? panel.tabs[0]!;
}

const asksForOne = (filters: readonly Filter[], dimension: string): boolean =>
  filters.some((filter) => isLeaf(filter) && filter[0] === "is" && filter[1] === dimension && filter[2].length === 1);

// What a tab lists now.
export function shownOf(tab: PanelTab, filters: readonly Filter[]): { dimension: string; title: string } {
  return tab.deeper && !tab.map && asksForOne(filters, tab.dimension) ? tab.deeper : tab;
}

export function panelMetrics(dimension: string, filters: readonly Filter[]): string[] {
  if (dimension === "event:goal") return ["visitors", "conversions", "conversion_rate", "total_revenue"];
  if (goalOf(filters)) return ["visitors", "group_conversion_rate"];
  return ["visitors", "percentage"];
}

// More of it, for the detail view.
export function detailMetrics(dimension: string, filters: readonly Filter[]): string[] {
  if (dimension === "event:goal") return ["visitors", "conversions", "conversion_rate", "total_revenue", "average_revenue"];
  if (goalOf(filters)) return ["visitors", "conversions", "group_conversion_rate"];
  if (dimension.startsWith("event:props:") || dimension === "event:name") return ["visitors", "events", "percentage"];
  if (dimension === "event:page" || dimension === "event:title")
    return ["visitors", "percentage", "pageviews", "bounce_rate", "time_on_page", "scroll_depth"];
  if (dimension === "visit:entry_page") return ["visitors", "percentage", "entries", "bounce_rate", "visit_duration"];
  if (dimension === "visit:exit_page") return ["visitors", "percentage", "exits", "exit_rate"];
  return ["visitors", "percentage", "visits", "bounce_rate", "visit_duration"];
}

export const PANEL_ROWS = 9;

export function panelQuery(project: string, state: DashboardState, today: string, dimension: string, metrics: string[], rows = PANEL_ROWS): Query {
  return {
    ...baseQuery(project, state, today, listFilters(dimension)),
    more_follow: state.filters.length > 0,
    metrics,
    dimensions: [dimension],
    order_by: [[metrics[0]!, "desc"]],
    pagination: { limit: rows, offset: 0 },
    include: { total_rows: true, comparisons: comparisons(state) },
  };
}

// Lists of pages are about pageviews, and what engagement says of them; other events have a path too, and so have requests
// of an imported log that are no pages. Engagement says something of other events and is none that one would look for.
export const listFilters = (dimension: string): Filter[] => {
  if (dimension === "event:page" || dimension === "event:title") return [["is", "event:name", ["pageview", "engagement"]]];
  return dimension === "event:name" ? [["is_not", "event:name", ["engagement"]]] : [];
};

// A bar's length in percent of the longest.
export const share = (value: number | null, largest: number): number =>
  value === null || largest <= 0 ? 0 : Math.max(0, Math.min(100, (value / largest) * 100));
