import { expect, test } from "vitest";
import { describe, parseFilters } from "./tailFilters";

test("an address gives the filters that are right and no others", () => {
  const good = ["is", "name", ["signup"]];
  expect(parseFilters(JSON.stringify([good, ["matches", "name", ["x"]], ["is", "ip", ["x"]], ["is", "name", [1]], ["is", "name", []], "x"]))).toEqual([good]);
  expect(parseFilters(JSON.stringify([["contains", "properties.plan", ["p"]]]))).toHaveLength(1);
  expect(parseFilters("{")).toEqual([]);
  expect(parseFilters('{"a":1}')).toEqual([]);
  expect(parseFilters(null)).toEqual([]);
  expect(parseFilters(JSON.stringify(Array.from({ length: 20 }, () => good)))).toHaveLength(8);
});

test("a filter reads as a sentence", () => {
  expect(describe(["is_not", "traffic", ["bot", "spam"]])).toBe("Traffic is not bot or spam");
  expect(describe(["contains", "properties.plan", ["pro"]])).toBe("Property plan contains pro");
});
