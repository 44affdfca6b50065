import { expect, test } from "vitest";
import { niceMax } from "./PlainChart";

test("axes end at round numbers", () => {
  expect([0, 1, 3, 7, 12, 99, 101, 0.03].map(niceMax)).toEqual([1, 1, 5, 10, 20, 100, 200, 0.05]);
});
