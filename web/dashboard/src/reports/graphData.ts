import type { Answer, MetricValue } from "../api/query";
import type { Mark, Series } from "../charts/TimeGraph";
import { addDays } from "../format/days";
import type { Annotation } from "../state/items";
import { plain } from "../state/metrics";
import type { Interval } from "../state/periods";

// Metrics that are sums: a bucket that the answer leaves out had none, so it is 0; of a rate it is unknown.
const SUMS = ["visitors", "visits", "pageviews", "events", "conversions", "entries", "exits", "total_revenue"];

// One value a bucket of meta.time_labels, from rows that come in any order and leave empty buckets out.
export function toSeries(answer: Answer, metric: string, index = 0): Series {
  const found = new Map<string, MetricValue>();
  for (const row of answer.results) found.set(String(row.dimensions[0]), row.metrics[index] ?? null);
  const labels = answer.meta.time_labels ?? [...found.keys()].sort();
  const missing = SUMS.includes(metric) ? 0 : null;
  return { labels, values: labels.map((label) => (found.has(label) ? (plain(found.get(label)) ?? missing) : missing)) };
}

// The first bucket that is not over yet; null: all are. Buckets that lie wholly ahead are left out of the graph by
// `withoutFuture`.
export function partialFrom(answer: Answer): number | null {
  const partial = new Set(answer.meta.partial_time_labels ?? []);
  const at = (answer.meta.time_labels ?? []).findIndex((label) => partial.has(label));
  return at < 0 ? null : at;
}

// Day, month and year reach to their end; what is ahead has no events and no line.
export function withoutFuture(series: Series, firstPartial: number | null): Series {
  if (firstPartial === null) return series;
  return { labels: series.labels, values: series.values.map((value, index) => (index > firstPartial ? null : value)) };
}

// The bucket that holds this day or moment; -1: none.
function bucketOf(labels: readonly string[], interval: Interval, when: string): number {
  const at = when.replace("T", " ");
  for (let index = labels.length - 1; index >= 0; index--) {
    const label = labels[index]!;
    if (label.slice(0, at.length) > at.slice(0, label.length)) continue;
    const day = label.slice(0, 10);
    const end =
      interval === "month"
        ? `${day.slice(0, 7)}-31`
        : interval === "week"
          ? addDays(day, 6)
          : interval === "day"
            ? day
            : interval === "hour"
              ? label.slice(0, 13)
              : label.slice(0, 16);
    return at.slice(0, end.length) <= end ? index : -1;
  }
  return -1;
}

export function marksOf(annotations: readonly Annotation[], labels: readonly string[], interval: Interval): Mark[] {
  return annotations
    .map((annotation) => ({ index: bucketOf(labels, interval, annotation.date), text: annotation.text }))
    .filter((mark) => mark.index >= 0)
    .sort((a, b) => a.index - b.index);
}
