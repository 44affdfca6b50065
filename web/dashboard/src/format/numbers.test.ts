import { expect, test } from "vitest";
import { duration, onAxis, short } from "./numbers";

test("an axis has all its numbers short, or none", () => {
  expect(onAxis([0, 5000, 9000])).toEqual([short(0), short(5000), short(9000)]);
  const long = onAxis([0, 5000, 10_000]);
  expect(long[1]).not.toBe(short(5000));
});

test("durations say their largest two units", () => {
  expect([duration(0), duration(59.4), duration(93), duration(3660)]).toEqual(["0s", "59s", "1m 33s", "1h 1m"]);
});
