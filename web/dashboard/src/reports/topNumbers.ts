import type { Filter } from "../api/types";
import { goalOf } from "../state/filters";

// The numbers above the graph. With a goal asked for, it is about who reached it.
export function topMetrics(filters: readonly Filter[], realtime: boolean): string[] {
  if (goalOf(filters)) return ["visitors", "conversions", "conversion_rate", "total_revenue", "average_revenue"];
  if (realtime) return ["visitors", "visits", "pageviews", "events"];
  return ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"];
}

// Those that take longer to find, asked on their own, so that the others need not wait.
export function slowMetrics(filters: readonly Filter[], realtime: boolean): string[] {
  return goalOf(filters) || realtime ? [] : ["scroll_depth", "time_on_page"];
}
