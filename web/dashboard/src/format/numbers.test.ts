import { expect, test } from "vitest";
import { duration, inEnglish, onAxis, short } from "./numbers";

test("an axis has all its numbers short, or none", () => {
  expect(onAxis([0, 5000, 9000])).toEqual([short(0), short(5000), short(9000)]);
  const long = onAxis([0, 5000, 10_000]);
  expect(long[1]).not.toBe(short(5000));
});

test("durations say their largest two units", () => {
  expect([duration(0), duration(59.4), duration(93), duration(3660)]).toEqual(["0s", "59s", "1m 33s", "1h 1m"]);
});

test("English is written as browsers write it", () => {
  const values = [0, 999.95, 999_949, 999_950, 999_999, 0.25, 0.35, 1.005, 12.345, -1234.5, 112.94999999999999, 1e14, 123_456_789_012_345];
  for (let exponent = -4; exponent < 15; ++exponent)
    for (let i = 1; i < 200; ++i) values.push(i * 0.0251 * 10 ** exponent, Math.round(i * 7.77) * 10 ** exponent, -i * 0.05 * 10 ** exponent);
  const other: string[] = [];
  for (const style of [{ decimals: 0 }, { decimals: 1 }, { decimals: 2 }, { decimals: 1, compact: true }])
    for (const language of ["en", "en-US", "en-CA", "en-AU", "en-NZ", "en-IE", "en-SG"]) {
      const format = new Intl.NumberFormat(language, { maximumFractionDigits: style.decimals, notation: style.compact ? "compact" : "standard" });
      for (const value of values.filter((each) => Math.abs(each) < 1e15)) {
        const expected = format.format(value).replace(/^-0$/, "0");
        if (inEnglish(value, style) !== expected) other.push(`${value} in ${language}: ${inEnglish(value, style)}, not ${expected}`);
      }
    }
  expect(other).toEqual([]);
});
