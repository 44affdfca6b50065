import type { Answer } from "../api/query";
import { plain } from "../state/metrics";

export interface WeekCell {
  value: number;
  step: number; // 0 (nothing) to 5 (as much as the fullest)
}

// Seven days from Monday, 24 hours each; what the answer leaves out is 0.
export function weekGrid(answer: Answer): { cells: WeekCell[][] } {
  const values = Array.from({ length: 7 }, () => new Array<number>(24).fill(0));
  for (const row of answer.results) {
    const [day, hour] = [Number(row.dimensions[0]) - 1, Number(row.dimensions[1])];
    if (values[day]?.[hour] !== undefined) values[day][hour] = plain(row.metrics[0]) ?? 0;
  }
  const largest = Math.max(0, ...values.flat());
  const step = (value: number) => (value <= 0 ? 0 : Math.max(1, Math.ceil((value / largest) * 5)));
  return { cells: values.map((hours) => hours.map((value) => ({ value, step: step(value) }))) };
}
