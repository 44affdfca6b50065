import type { Money, MetricValue, ResultRow } from "../api/query";
import * as numbers from "../format/numbers";

// How each metric is called, written and defined. The definitions are those of docs/query.md.
export interface Metric {
  title: string;
  short?: string; // as a column's title
  kind: "count" | "ratio" | "percent" | "seconds" | "money";
  lowIsGood?: boolean;
  definition: string;
}

export const METRICS: Record<string, Metric> = {
  visitors: {
    title: "Unique visitors",
    short: "Visitors",
    kind: "count",
    definition: "Different visitors among the events that match. Somebody who comes back within the range counts once.",
  },
  visits: {
    title: "Visits",
    kind: "count",
    definition: "Visits with at least one event that matches. 30 minutes of silence, or 24 hours, end a visit.",
  },
  pageviews: { title: "Pageviews", kind: "count", definition: "Matching events that are views of a page." },
  events: { title: "Events", kind: "count", definition: "All matching events: pageviews and everything else that was sent." },
  views_per_visit: { title: "Views per visit", kind: "ratio", definition: "Pageviews divided by visits." },
  bounce_rate: {
    title: "Bounce rate",
    kind: "percent",
    lowIsGood: true,
    definition: "Share of those visits whose whole visit has one pageview and no other interaction.",
  },
  visit_duration: {
    title: "Visit duration",
    kind: "seconds",
    definition: "Mean over those visits of the time from the first to the last event of the whole visit.",
  },
  time_on_page: {
    title: "Time on page",
    kind: "seconds",
    definition:
      "Mean time that pages were in use where browsers report it, else the time to the visit's next pageview; the last page of a visit without a report counts as unknown.",
  },
  scroll_depth: { title: "Scroll depth", kind: "percent", definition: "Mean of how far down pages were scrolled, by visit and page." },
  exit_rate: { title: "Exit rate", kind: "percent", lowIsGood: true, definition: "Visits that ended on the page, divided by its pageviews." },
  percentage: { title: "Share of visitors", short: "%", kind: "percent", definition: "Visitors of the row as a share of all visitors who match." },
  conversions: { title: "Conversions", short: "Total", kind: "count", definition: "Events that match the goal." },
  conversion_rate: {
    title: "Conversion rate",
    short: "CR",
    kind: "percent",
    definition: "Visitors who reached the goal, as a share of the visitors who match the other filters.",
  },
  group_conversion_rate: {
    title: "Conversion rate",
    short: "CR",
    kind: "percent",
    definition: "Of the row's visitors, the share that reached the goal.",
  },
  total_revenue: { title: "Total revenue", short: "Revenue", kind: "money", definition: "Sum of the revenue of the events that match." },
  average_revenue: { title: "Average revenue", short: "Average", kind: "money", definition: "Revenue divided by the events that carry it." },
  entries: { title: "Entrances", kind: "count", definition: "Visits that began on the page." },
  exits: { title: "Exits", kind: "count", definition: "Visits that ended on the page." },
};

export const isMoney = (value: MetricValue | undefined): value is Money => typeof value === "object" && value !== null;
export const plain = (value: MetricValue | undefined): number | null => (isMoney(value) ? value.value : (value ?? null));

// "long": in full; "short": 12.3k. A missing number is a dash.
export function write(metric: string, value: MetricValue | undefined, style: "short" | "long" = "short"): string {
  if (value === null || value === undefined) return "–";
  if (isMoney(value)) return numbers.money(value, style);
  switch (METRICS[metric]?.kind) {
    case "percent":
      return numbers.percent(value);
    case "seconds":
      return numbers.duration(value);
    default:
      return style === "short" ? numbers.short(value) : numbers.number(value);
  }
}

// The same of a row's metric, which may be an estimate: that is told, and, in the long style, how far it may be off.
export function writeOf(row: ResultRow | undefined, index: number, metric: string, style: "short" | "long" = "short"): string {
  const value = row?.metrics[index];
  const text = write(metric, value, style);
  if (!row?.error_bounds || value === null) return text;
  const bound = row.error_bounds[index];
  if (style === "short" || bound === null || bound === undefined) return `≈ ${text}`;
  return `≈ ${text} ± ${write(metric, isMoney(value) ? { ...value, value: bound } : bound, METRICS[metric]?.kind === "count" ? "long" : "short")}`;
}

// A change as the API gives it (percent; of percentages points), worded; `good` colours it.
export function change(metric: string, value: number | null | undefined): { text: string; good: boolean | null; arrow: string } | null {
  if (value === null || value === undefined) return null;
  const rounded = Math.abs(value) >= 10 ? Math.round(value) : Math.round(value * 10) / 10;
  if (rounded === 0) return { text: "0%", good: null, arrow: "→" };
  const up = rounded > 0;
  const good = METRICS[metric]?.lowIsGood ? !up : up;
  return { text: `${numbers.number(Math.abs(rounded))}%`, good, arrow: up ? "↑" : "↓" };
}
