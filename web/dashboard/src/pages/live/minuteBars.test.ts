import { expect, test } from "vitest";
import { minuteValues } from "./MinuteBars";

test("each visitor stands in their minute, and old ones in none", () => {
  const now = 1_772_625_630; // half a minute into its minute
  const minute = now - 30;
  const values = minuteValues([[minute, 3, 4], [minute - 29 * 60, 2, 2], [minute - 30 * 60, 9, 9]], now); // prettier-ignore
  expect(values).toHaveLength(30);
  expect(values[29]).toBe(3);
  expect(values[0]).toBe(2);
  expect(values.reduce((sum, value) => sum + value)).toBe(5);
});
