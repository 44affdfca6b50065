import { expect, test } from "vitest";
import { addDays, addMonths, daysBetween, isDay, lastOfMonth, today, weekday } from "./days";

test("days are those of the project's zone", () => {
  const now = new Date("2026-03-05T23:30:00Z");
  expect(today("UTC", null, now)).toBe("2026-03-05");
  expect(today("Europe/Berlin", null, now)).toBe("2026-03-06");
  expect(today("America/Los_Angeles", null, now)).toBe("2026-03-05");
});

test("what the server says of a zone's clock is believed until it changes", () => {
  const told = { offset: 3600, until: Date.UTC(2026, 2, 29, 1) / 1000 };
  expect(today("Europe/Berlin", told, new Date("2026-03-05T22:59:59Z"))).toBe("2026-03-05");
  expect(today("Europe/Berlin", told, new Date("2026-03-05T23:00:00Z"))).toBe("2026-03-06");
  expect(today("Europe/Berlin", told, new Date("2026-06-05T22:30:00Z"))).toBe("2026-06-06"); // summer by now
  expect(today("Asia/Kathmandu", { offset: 20_700, until: null }, new Date("2026-03-05T18:15:00Z"))).toBe("2026-03-06");
});

test("clocks that change do not change days", () => {
  expect(addDays("2026-03-28", 2)).toBe("2026-03-30");
  expect(daysBetween("2026-03-28", "2026-03-30")).toBe(2);
  expect(addDays("2026-01-01", -1)).toBe("2025-12-31");
});

test("months end where they end", () => {
  expect(addMonths("2026-03-31", -1)).toBe("2026-02-28");
  expect(addMonths("2026-01-15", -1)).toBe("2025-12-15");
  expect(lastOfMonth("2024-02-01")).toBe("2024-02-29");
});

test("only days are days", () => {
  expect(isDay("2026-02-29")).toBe(false);
  expect(isDay("2026-2-9")).toBe(false);
  expect(isDay("2024-02-29")).toBe(true);
  expect(weekday("2026-03-02")).toBe(0);
});
