import type { Money, MetricValue, ResultRow } from "../api/query";
import * as numbers from "../format/numbers";

// How each metric is called and written.
export interface Metric {
  title: string;
  short?: string; // as a column's title
  kind: "count" | "ratio" | "percent" | "seconds" | "money";
  lowIsGood?: boolean;
}

export const METRICS: Record<string, Metric> = {
  visitors: { title: "Unique visitors", short: "Visitors", kind: "count" },
  visits: { title: "Visits", kind: "count" },
  pageviews: { title: "Pageviews", kind: "count" },
  events: { title: "Events", kind: "count" },
  views_per_visit: { title: "Views per visit", kind: "ratio" },
  bounce_rate: { title: "Bounce rate", kind: "percent", lowIsGood: true },
  visit_duration: { title: "Visit duration", kind: "seconds" },
  time_on_page: { title: "Time on page", kind: "seconds" },
  scroll_depth: { title: "Scroll depth", kind: "percent" },
  exit_rate: { title: "Exit rate", kind: "percent", lowIsGood: true },
  percentage: { title: "Share of visitors", short: "%", kind: "percent" },
  conversions: { title: "Conversions", short: "Total", kind: "count" },
  conversion_rate: { title: "Conversion rate", short: "CR", kind: "percent" },
  group_conversion_rate: { title: "Conversion rate", short: "CR", kind: "percent" },
  total_revenue: { title: "Total revenue", short: "Revenue", kind: "money" },
  average_revenue: { title: "Average revenue", short: "Average", kind: "money" },
  entries: { title: "Entrances", kind: "count" },
  exits: { title: "Exits", kind: "count" },
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

export interface Change {
  text: string;
  arrow: string;
  spoken: string; // in place of the arrow
  look: string; // as a class: whether it is good
}

// A change as the API gives it (percent; of percentages points), worded.
export function change(metric: string, value: number | null | undefined): Change | null {
  if (value === null || value === undefined) return null;
  const rounded = Math.abs(value) >= 10 ? Math.round(value) : Math.round(value * 10) / 10;
  if (rounded === 0) return { text: "0%", arrow: "→", spoken: "unchanged ", look: "change" };
  const up = rounded > 0;
  const good = METRICS[metric]?.lowIsGood ? !up : up;
  const text = `${numbers.number(Math.abs(rounded))}%`;
  return { text, arrow: up ? "↑" : "↓", spoken: up ? "up " : "down ", look: good ? "change change-good" : "change change-bad" };
}
