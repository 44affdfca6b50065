import { expect, test } from "vitest";
import { baseQuery, comparisons, formatState, keptParameters, parseState } from "./dashboard";

const EXAMPLES = [
  "",
  "?period=7d",
  "?period=day&date=2026-02-28",
  "?period=custom&from=2026-01-01&to=2026-01-31&compare=previous",
  "?period=month&compare=custom&compare_from=2025-01-01&compare_to=2025-01-31&match=date&interval=week&metric=bounce_rate",
  "?f=is,visit:country,DE,FR&f=contains,event:page,/blog",
  "?traffic=bot&f=is,visit:source,Hacker+News&tab.sources=visit:utm_campaign",
  "?detail=event:page&search=blog&sort=-visitors&page=3&row=/blog/a",
  "?f=is,event:props:price,1%252C50",
];

test("an address becomes a state and the same address again", () => {
  for (const address of EXAMPLES) expect(formatState(parseState(address))).toBe(address);
});

test("what cannot be is left out, not shown wrongly", () => {
  const state = parseState(
    "?period=never&from=2026-13-01&compare=custom&compare_from=2026-02-01&compare_to=2026-01-01&interval=eon&f=x&f=json:[1]&page=-4&traffic=you",
  );
  expect(formatState(state)).toBe("");
});

test("commas, percent signs and groups survive the address", () => {
  const filters = [
    ["is", "event:page", ["/a,b", "/100%25"]],
    ["or", [["is", "visit:country", ["DE"]], ["not", ["contains", "event:page", ["&=?#"]]]]],
    ["has_not_done", ["is", "event:goal", ["Sign-up"]]],
    ["greater", "event:props:price", [10.5]],
  ] as never;
  const state = { ...parseState(""), filters };
  expect(parseState(formatState(state)).filters).toEqual(filters);
});

test("nothing is compared where there is nothing before", () => {
  expect(parseState("?period=all&compare=previous").comparison).toBeNull();
  expect(parseState("?period=realtime&compare=year").comparison).toBeNull();
});

test("weekdays are matched unless exact dates are asked for", () => {
  expect(comparisons(parseState("?compare=year"))).toEqual({ mode: "year_over_year", match_day_of_week: true });
  expect(comparisons(parseState("?compare=previous&match=date"))).toEqual({ mode: "previous_period", match_day_of_week: false });
});

test("questions carry the page's filters and traffic", () => {
  const state = parseState("?period=month&date=2026-02-03&f=is,visit:os,Linux&traffic=ai_crawler");
  expect(baseQuery("shop", state, "2026-03-05", [["contains", "event:page", ["x"]]])).toEqual({
    site_id: "shop",
    metrics: [],
    date_range: ["2026-02-01", "2026-02-28"],
    filters: [
      ["is", "visit:os", ["Linux"]],
      ["contains", "event:page", ["x"]],
    ],
    traffic: ["ai_crawler"],
  });
  expect(baseQuery("shop", state, "2026-03-05")).toMatchObject({ filters: [["is", "visit:os", ["Linux"]]], more_follow: true });
});

test("how a page is embedded stays in the address", () => {
  expect(keptParameters("?embed=1&theme=dark&period=7d")).toEqual([
    ["embed", "1"],
    ["theme", "dark"],
  ]);
});
