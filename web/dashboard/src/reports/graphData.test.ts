import { expect, test } from "vitest";
import type { Answer } from "../api/query";
import { marksOf, partialFrom, toSeries, withoutFuture } from "./graphData";

const answer = (labels: string[], rows: [string, number | null][], partial: string[] = []): Answer => ({
  results: rows.map(([label, value]) => ({ dimensions: [label], metrics: [value] })),
  meta: { time_labels: labels, partial_time_labels: partial },
  query: { date_range: ["", ""] },
});
const note = (date: string) => ({ id: date, name: "", owner: null, date, text: `at ${date}` });

test("buckets without rows are 0 in sums and unknown in rates", () => {
  const given = answer(["2026-03-01", "2026-03-02"], [["2026-03-02", 5]]);
  expect(toSeries(given, "visitors").values).toEqual([0, 5]);
  expect(toSeries(given, "bounce_rate").values).toEqual([null, 5]);
});

test("rows are put to their bucket whatever their order", () => {
  const given = answer(["a", "b", "c"], [["c", 3], ["a", 1]]); // prettier-ignore
  expect(toSeries(given, "visits")).toEqual({ labels: ["a", "b", "c"], values: [1, 0, 3] });
});

test("what is ahead has no line, the bucket under way has", () => {
  const given = answer(["10:00", "11:00", "12:00"], [["10:00", 4]], ["11:00", "12:00"]);
  expect(partialFrom(given)).toBe(1);
  expect(withoutFuture(toSeries(given, "visitors"), 1).values).toEqual([4, 0, null]);
  expect(partialFrom(answer(["a"], []))).toBeNull();
});

test("annotations stand at the bucket that holds their day", () => {
  const days = ["2026-03-01", "2026-03-02", "2026-03-03"];
  expect(marksOf([note("2026-03-02")], days, "day").map((mark) => mark.index)).toEqual([1]);
  expect(marksOf([note("2026-03-02T14:30:00Z")], days, "day").map((mark) => mark.index)).toEqual([1]);
  expect(marksOf([note("2026-02-28"), note("2026-03-04")], days, "day")).toEqual([]);
  expect(marksOf([note("2026-03-06")], ["2026-02-23", "2026-03-02"], "week").map((mark) => mark.index)).toEqual([1]);
  expect(marksOf([note("2026-02-17")], ["2026-01-01", "2026-02-01"], "month").map((mark) => mark.index)).toEqual([1]);
  expect(marksOf([note("2026-03-01T10:20:00")], ["2026-03-01 09:00:00", "2026-03-01 10:00:00"], "hour").map((m) => m.index)).toEqual([1]);
});
