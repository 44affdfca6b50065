import type { Query } from "../api/query";
import type { Filter } from "../api/types";
import { baseQuery, numbersComparisons, type DashboardState } from "../state/dashboard";
import { goalOf } from "../state/filters";
import type { Interval } from "../state/periods";

// The numbers above the graph. With a goal asked for, it is about who reached it.
function topMetrics(filters: readonly Filter[], realtime: boolean): string[] {
  if (goalOf(filters)) return ["visitors", "conversions", "conversion_rate", "total_revenue", "average_revenue"];
  if (realtime) return ["visitors", "visits", "pageviews", "events"];
  return ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"];
}

// Those that take longer to find, asked on their own, so that the others need not wait.
function slowMetrics(filters: readonly Filter[], realtime: boolean): string[] {
  return goalOf(filters) || realtime ? [] : ["scroll_depth", "time_on_page"];
}

// What the top of a project's page asks. `slow`: null: there are no such numbers.
export interface TopQuestions {
  numbers: Query;
  slow: Query | null;
  covered: Query;
}

export function topQuestions(project: string, state: DashboardState, today: string): TopQuestions {
  const base = baseQuery(project, state, today);
  const realtime = state.period.name === "realtime";
  const slow = slowMetrics(state.filters, realtime);
  const include = { comparisons: numbersComparisons(state) };
  return {
    numbers: { ...base, metrics: topMetrics(state.filters, realtime), include },
    slow: slow.length > 0 ? { ...base, metrics: slow, include } : null,
    covered: { ...base, metrics: ["events"], include: { coverage: true } },
  };
}

export const graphQuestion = (project: string, state: DashboardState, today: string, metric: string, interval: Interval): Query => ({
  ...baseQuery(project, state, today),
  metrics: [metric],
  dimensions: [`time:${interval}`],
  include: { time_labels: true },
});
