import { expect, test } from "vitest";
import { cellText, chartOf, csvField, parseLine, placeOf, type SqlTable } from "./rows";

test("numbers too long for a double keep their digits, texts their signs", () => {
  expect(parseLine('[32748098319428026, 7, -18446744073709551615, 1.5e3, "say \\"12345678901234567\\"", null, {"a":"b"}]')).toEqual([
    "32748098319428026", 7, "-18446744073709551615", 1500, 'say "12345678901234567"', null, { a: "b" },
  ]); // prettier-ignore
  expect(cellText({ a: "b" })).toBe('{"a":"b"}');
  expect(cellText(null)).toBe("");
});

test("a spreadsheet runs nothing of what is exported", () => {
  expect(csvField("=1+1")).toBe("'=1+1");
  expect(csvField('@SUM("a",b)')).toBe('"\'@SUM(""a"",b)"');
  expect(csvField("\tx")).toBe("'\tx");
  expect(csvField(-5)).toBe("-5");
  expect(csvField("-12345678901234567")).toBe("-12345678901234567");
  expect(csvField("a,b")).toBe('"a,b"');
});

const table = (types: string[], rows = 3): SqlTable => ({
  names: types.map((_, index) => `c${index}`),
  types,
  rows: Array.from({ length: rows }, () => types.map(() => 1)),
  whole: true,
});

test("a table is drawn where it can be", () => {
  expect(chartOf(table(["DateTime64(3, 'UTC')", "UInt64", "Nullable(Float64)"]))).toEqual({ kind: "line", x: 0, y: [1, 2] });
  expect(chartOf(table(["LowCardinality(String)", "UInt64"]))).toEqual({ kind: "bar", x: 0, y: [1] });
  expect(chartOf(table(["String", "String"]))).toBeNull();
  expect(chartOf(table(["String", "UInt64"], 1))).toBeNull();
});

test("an error is found where it is", () => {
  expect(placeOf("store: Syntax error: failed at position 7 (1): 1.", "selec 1")).toBe(6);
  expect(placeOf("failed at position 13 (x)", "select 'ä' x")).toBe(11);
  expect(placeOf("Unknown expression identifier `nope` in scope SELECT nope", "select a, nope from events")).toBe(10);
  expect(placeOf("Unknown expression identifier `e.nope` in scope", "select e.nope from events e")).toBe(9);
  expect(placeOf("timed out", "select 1")).toBeNull();
});
