import { addDays, addMonths, daysBetween, firstOfMonth, lastOfMonth } from "../format/days";

// Which stretch of time is looked at, as the address has it. Days are "YYYY-MM-DD" in the project's time zone.
export type PeriodName =
  | "realtime"
  | "day"
  | "24h"
  | "7d"
  | "28d"
  | "30d"
  | "91d"
  | "month"
  | "6mo"
  | "12mo"
  | "year"
  | "all"
  | "custom";

export interface Period {
  name: PeriodName;
  date?: string; // of day, month, year: one of its days; absent: today's
  from?: string; // of custom
  to?: string;
}

export type Interval = "minute" | "hour" | "day" | "week" | "month";
export const INTERVALS: readonly Interval[] = ["minute", "hour", "day", "week", "month"];

const NAMES: readonly PeriodName[] = [
  "realtime", "day", "24h", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all", "custom",
]; // prettier-ignore

export const isPeriodName = (text: string | null): text is PeriodName => NAMES.includes(text as PeriodName);

// What the menu offers and which key chooses it; null: a line between groups.
export interface Preset {
  key: string;
  title: string;
  period: (today: string) => Period;
}
export const PRESETS: readonly (Preset | null)[] = [
  { key: "D", title: "Today", period: () => ({ name: "day" }) },
  { key: "E", title: "Yesterday", period: (today) => ({ name: "day", date: addDays(today, -1) }) },
  { key: "R", title: "Realtime", period: () => ({ name: "realtime" }) },
  { key: "H", title: "Last 24 hours", period: () => ({ name: "24h" }) },
  null,
  { key: "W", title: "Last 7 days", period: () => ({ name: "7d" }) },
  { key: "F", title: "Last 28 days", period: () => ({ name: "28d" }) },
  { key: "T", title: "Last 30 days", period: () => ({ name: "30d" }) },
  { key: "N", title: "Last 91 days", period: () => ({ name: "91d" }) },
  null,
  { key: "M", title: "Month to date", period: () => ({ name: "month" }) },
  { key: "P", title: "Last month", period: (today) => ({ name: "month", date: addMonths(firstOfMonth(today), -1) }) },
  null,
  { key: "Y", title: "Year to date", period: () => ({ name: "year" }) },
  { key: "S", title: "Last 6 months", period: () => ({ name: "6mo" }) },
  { key: "L", title: "Last 12 months", period: () => ({ name: "12mo" }) },
  null,
  { key: "A", title: "All time", period: () => ({ name: "all" }) },
];

export const samePeriod = (a: Period, b: Period, today: string): boolean => {
  const whole = (p: Period) => [p.name, p.from ?? "", p.to ?? "", dated(p) ? (p.date ?? today) : ""];
  const [x, y] = [whole(a), whole(b)];
  if (a.name === "month" && b.name === "month") return x[3]!.slice(0, 7) === y[3]!.slice(0, 7);
  if (a.name === "year" && b.name === "year") return x[3]!.slice(0, 4) === y[3]!.slice(0, 4);
  return x.join() === y.join();
};

const dated = (period: Period) => period.name === "day" || period.name === "month" || period.name === "year";

// As the query API takes it.
export function dateRange(period: Period, today: string): string | [string, string] {
  const date = period.date ?? today;
  switch (period.name) {
    case "custom":
      return [period.from ?? today, period.to ?? today];
    case "day":
      return date === today ? "day" : [date, date];
    case "month":
      return date.slice(0, 7) === today.slice(0, 7) ? "month" : [firstOfMonth(date), lastOfMonth(date)];
    case "year":
      return date.slice(0, 4) === today.slice(0, 4) ? "year" : [`${date.slice(0, 4)}-01-01`, `${date.slice(0, 4)}-12-31`];
    default:
      return period.name;
  }
}

export const mayCompare = (period: Period) => period.name !== "realtime" && period.name !== "all";

// The period one step back (-1) or on (+1); null: there is none (the future, or a period that does not move).
export function step(period: Period, by: -1 | 1, today: string): Period | null {
  const date = period.date ?? today;
  switch (period.name) {
    case "day": {
      const next = addDays(date, by);
      return next > today ? null : { name: "day", date: next === today ? undefined : next };
    }
    case "month": {
      const next = addMonths(firstOfMonth(date), by);
      if (next > today) return null;
      return { name: "month", date: next.slice(0, 7) === today.slice(0, 7) ? undefined : next };
    }
    case "year": {
      const year = Number(date.slice(0, 4)) + by;
      if (`${year}-01-01` > today) return null;
      return { name: "year", date: `${year}` === today.slice(0, 4) ? undefined : `${year}-01-01` };
    }
    case "7d":
    case "28d":
    case "30d":
    case "91d": {
      const days = Number.parseInt(period.name, 10);
      // These end yesterday; one step back ends where they begin.
      return by > 0 ? null : { name: "custom", from: addDays(today, -2 * days), to: addDays(today, -days - 1) };
    }
    case "custom": {
      if (!period.from || !period.to) return null;
      const days = daysBetween(period.from, period.to) + 1;
      const [from, to] = [addDays(period.from, by * days), addDays(period.to, by * days)];
      return from > today ? null : { name: "custom", from, to };
    }
    default:
      return null;
  }
}

function ofLength(days: number): { all: Interval[]; usual: Interval } {
  if (days <= 1) return { all: ["minute", "hour"], usual: "hour" };
  if (days <= 8) return { all: ["hour", "day"], usual: "day" };
  if (days <= 31) return { all: ["hour", "day", "week"], usual: "day" };
  if (days <= 190) return { all: ["day", "week", "month"], usual: days <= 100 ? "day" : "week" };
  return { all: days <= 400 ? ["day", "week", "month"] : ["week", "month"], usual: "month" };
}

// Which buckets the graph may have, and which it has when nobody chose.
export function intervals(period: Period, today: string, daysOfAll: number | null = null): { all: Interval[]; usual: Interval } {
  switch (period.name) {
    case "realtime":
      return { all: ["minute"], usual: "minute" };
    case "day":
    case "24h":
      return { all: ["minute", "hour"], usual: "hour" };
    case "month":
      return { all: ["hour", "day", "week"], usual: "day" };
    case "6mo":
    case "12mo":
    case "year":
      return { all: ["day", "week", "month"], usual: "month" };
    case "all":
      return ofLength(daysOfAll ?? 1000);
    case "custom":
      return ofLength(daysBetween(period.from ?? today, period.to ?? today) + 1);
    default:
      return ofLength(Number.parseInt(period.name, 10));
  }
}
