import type { Comparisons, Query } from "../api/query";
import type { Filter } from "../api/types";
import { isDay } from "../format/days";
import { fromText, toText } from "./filters";
import { INTERVALS, dateRange, isPeriodName, mayCompare, type Interval, type Period } from "./periods";

// All that a project page shows follows from this, and all of it stands in the address.
export interface Comparison {
  mode: "previous" | "year" | "custom";
  from?: string; // of custom
  to?: string;
  exactDates: boolean; // else weekdays are matched
}

export interface DashboardState {
  period: Period;
  comparison: Comparison | null;
  interval: Interval | null; // null: the usual one of the period
  metric: string; // of the graph
  filters: Filter[];
  tabs: Record<string, string>; // panel -> tab; those that are not the first
  detail: Detail | null; // the open detail view
  traffic: string | null; // null: human
}

export interface Detail {
  dimension: string;
  search: string;
  sort: string; // metric, with '-' before it for rising
  page: number; // from 1
  row: string | null; // whose evolution is shown
}

export const DEFAULT_PERIOD: Period = { name: "28d" };
const TRAFFIC = ["all", "bot", "ai_crawler", "monitor", "spam", "internal"];
// Of the address, in its order; everything else in it is a panel's tab.
const OWN = ["period", "date", "from", "to", "compare", "compare_from", "compare_to", "match", "interval", "metric", "traffic"];

export function parseState(search: string): DashboardState {
  const given = new URLSearchParams(search);
  const get = (name: string) => given.get(name);
  const dayOr = (name: string) => (isDay(get(name)) ? get(name)! : undefined);

  let period: Period = DEFAULT_PERIOD;
  const name = get("period");
  if (isPeriodName(name)) {
    const [date, from, to] = [dayOr("date"), dayOr("from"), dayOr("to")];
    if (name !== "custom") period = date && ["day", "month", "year"].includes(name) ? { name, date } : { name };
    else if (from && to && from <= to) period = { name, from, to };
  }

  let comparison: Comparison | null = null;
  const mode = get("compare");
  const exactDates = get("match") === "date";
  if (mode === "previous" || mode === "year") comparison = { mode, exactDates };
  else if (mode === "custom") {
    const [from, to] = [dayOr("compare_from"), dayOr("compare_to")];
    if (from && to && from <= to) comparison = { mode, from, to, exactDates };
  }

  const interval = INTERVALS.find((each) => each === get("interval")) ?? null;
  const filters = given.getAll("f").map(fromText).filter((filter): filter is Filter => filter !== null);
  const tabs: Record<string, string> = {};
  for (const [key, value] of given) if (key.startsWith("tab.") && /^[\w:.-]{1,80}$/.test(value)) tabs[key.slice(4)] = value;

  const dimension = get("detail");
  const page = Number(get("page") ?? 1);
  const detail: Detail | null = dimension
    ? {
        dimension,
        search: get("search") ?? "",
        sort: get("sort") ?? "",
        page: Number.isInteger(page) && page >= 1 && page < 100_000 ? page : 1,
        row: given.has("row") ? get("row") : null,
      }
    : null;
  const traffic = get("traffic");
  return {
    period,
    comparison: comparison && mayCompare(period) ? comparison : null,
    interval,
    metric: get("metric") ?? "visitors",
    filters,
    tabs,
    detail,
    traffic: traffic !== null && TRAFFIC.includes(traffic) ? traffic : null,
  };
}

// encodeURIComponent, but what a query may hold as it is stays readable.
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/%(2C|3A|2F|40|24|20|2A|5B|5D)/g, (escaped, code: string) =>
    code === "20" ? "+" : String.fromCharCode(Number.parseInt(code, 16)),
  );

// With its '?'; '' for the state that nobody changed. Unknown parameters that must stay (embed, theme) are in `keep`.
export function formatState(state: DashboardState, keep: [string, string][] = []): string {
  const pairs: [string, string][] = [...keep];
  const put = (name: string, value: string | null | undefined) => {
    if (value !== null && value !== undefined && value !== "") pairs.push([name, value]);
  };
  const { period, comparison, detail } = state;
  if (period.name !== DEFAULT_PERIOD.name) put("period", period.name);
  put("date", period.date);
  put("from", period.from);
  put("to", period.to);
  if (comparison) {
    put("compare", comparison.mode);
    put("compare_from", comparison.from);
    put("compare_to", comparison.to);
    if (comparison.exactDates) put("match", "date");
  }
  put("interval", state.interval);
  if (state.metric !== "visitors") put("metric", state.metric);
  put("traffic", state.traffic);
  for (const filter of state.filters) put("f", toText(filter));
  for (const panel of Object.keys(state.tabs).sort()) put(`tab.${panel}`, state.tabs[panel]);
  if (detail) {
    put("detail", detail.dimension);
    put("search", detail.search);
    put("sort", detail.sort);
    if (detail.page > 1) put("page", String(detail.page));
    if (detail.row !== null) pairs.push(["row", detail.row]);
  }
  const text = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  return text ? `?${text}` : "";
}

// Parameters of the address that are not the dashboard's own and stay when it changes.
export const keptParameters = (search: string): [string, string][] =>
  [...new URLSearchParams(search)].filter(([name]) => name === "embed" || name === "theme");
export const ownParameters = OWN;

export function comparisons({ comparison }: Pick<DashboardState, "comparison">): Comparisons | undefined {
  if (!comparison) return undefined;
  const matched = { match_day_of_week: !comparison.exactDates };
  if (comparison.mode === "custom") return { mode: "custom", date_range: [comparison.from!, comparison.to!] };
  return { mode: comparison.mode === "year" ? "year_over_year" : "previous_period", ...matched };
}

// What pressing "Compare" begins with; the numbers at the top tell how they changed since then without being asked.
export const USUAL_COMPARISON: Comparison = { mode: "previous", exactDates: false };
export const numbersComparisons = ({ period, comparison }: DashboardState): Comparisons | undefined =>
  mayCompare(period) ? comparisons({ comparison: comparison ?? USUAL_COMPARISON }) : undefined;

// What every question of the page has in common. `filters` come on top of the page's own; without them the others have the
// same filters, which is told.
export function baseQuery(project: string, state: DashboardState, today: string, filters: readonly Filter[] = []): Query {
  const query: Query = { site_id: project, metrics: [], date_range: dateRange(state.period, today) };
  const all = [...state.filters, ...filters];
  if (all.length > 0) query.filters = all;
  if (state.filters.length > 0 && filters.length === 0) query.more_follow = true;
  if (state.traffic) query.traffic = state.traffic === "all" ? ["human", ...TRAFFIC.slice(1)] : [state.traffic];
  return query;
}
