import { expect, test } from "vitest";
import { weekGrid } from "./weekGrid";

test("hours stand at their place, what is outside of the week nowhere", () => {
  const rows: [number, number, number][] = [[1, 0, 10], [7, 23, 1], [8, 0, 99], [1, 24, 99]]; // prettier-ignore
  const { cells } = weekGrid({
    results: rows.map(([day, hour, value]) => ({ dimensions: [day, hour], metrics: [value] })),
    meta: {},
    query: { date_range: ["", ""] },
  });
  expect(cells).toHaveLength(7);
  expect(cells[0]![0]).toEqual({ value: 10, step: 5 });
  expect(cells[6]![23]).toEqual({ value: 1, step: 1 });
  expect(cells.flat().filter((cell) => cell.value > 0)).toHaveLength(2);
  expect(cells[3]![12]).toEqual({ value: 0, step: 0 });
});
