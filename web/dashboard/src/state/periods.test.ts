import { expect, test } from "vitest";
import { PRESETS, dateRange, intervals, samePeriod, step } from "./periods";

const TODAY = "2026-03-05";

test("each key stands for one period", () => {
  const keys = PRESETS.filter((preset) => preset !== null).map((preset) => preset.key);
  expect(keys.join("")).toBe("DERHWFTNMPYSLA");
});

test("past days, months and years are whole ones", () => {
  expect(dateRange({ name: "day" }, TODAY)).toBe("day");
  expect(dateRange({ name: "day", date: "2026-03-04" }, TODAY)).toEqual(["2026-03-04", "2026-03-04"]);
  expect(dateRange({ name: "month", date: "2024-02-10" }, TODAY)).toEqual(["2024-02-01", "2024-02-29"]);
  expect(dateRange({ name: "year", date: "2025-06-01" }, TODAY)).toEqual(["2025-01-01", "2025-12-31"]);
});

test("arrows move by one period and never into the future", () => {
  expect(step({ name: "day" }, -1, TODAY)).toEqual({ name: "day", date: "2026-03-04" });
  expect(step({ name: "day", date: "2026-03-04" }, 1, TODAY)).toEqual({ name: "day", date: undefined });
  expect(step({ name: "day" }, 1, TODAY)).toBeNull();
  expect(step({ name: "month" }, -1, TODAY)).toEqual({ name: "month", date: "2026-02-01" });
  expect(step({ name: "month" }, 1, TODAY)).toBeNull();
  expect(step({ name: "year", date: "2025-01-01" }, 1, TODAY)).toEqual({ name: "year", date: undefined });
  expect(step({ name: "7d" }, -1, TODAY)).toEqual({ name: "custom", from: "2026-02-19", to: "2026-02-25" });
  expect(step({ name: "custom", from: "2026-02-19", to: "2026-02-25" }, 1, TODAY)).toEqual({
    name: "custom",
    from: "2026-02-26",
    to: "2026-03-04",
  });
  expect(step({ name: "all" }, -1, TODAY)).toBeNull();
});

test("today's day is today, whether the address says so or not", () => {
  expect(samePeriod({ name: "day" }, { name: "day", date: TODAY }, TODAY)).toBe(true);
  expect(samePeriod({ name: "month" }, { name: "month", date: "2026-03-01" }, TODAY)).toBe(true);
  expect(samePeriod({ name: "day" }, { name: "day", date: "2026-03-04" }, TODAY)).toBe(false);
});

test("the usual interval is one of those offered", () => {
  for (const preset of PRESETS) {
    if (!preset) continue;
    const { all, usual } = intervals(preset.period(TODAY), TODAY);
    expect(all).toContain(usual);
  }
  expect(intervals({ name: "custom", from: "2026-01-01", to: "2026-01-01" }, TODAY).usual).toBe("hour");
  expect(intervals({ name: "all" }, TODAY, 20).usual).toBe("day");
});
