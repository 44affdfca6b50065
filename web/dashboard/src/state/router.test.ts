import { expect, test } from "vitest";
import { match } from "./router";

test("a pattern's named parts are decoded", () => {
  expect(match("/ui/p/:name", "/ui/p/my%20shop")).toEqual({ name: "my shop" });
  expect(match("/ui/p/:name/settings/:tab?", "/ui/p/shop/settings")).toEqual({ name: "shop" });
  expect(match("/ui/p/:name/settings/:tab?", "/ui/p/shop/settings/goals")).toEqual({ name: "shop", tab: "goals" });
});

test("other paths do not match, and neither do broken escapes", () => {
  expect(match("/ui/p/:name", "/ui/p/shop/live")).toBeNull();
  expect(match("/ui/p/:name", "/ui/")).toBeNull();
  expect(match("/ui/p/:name", "/ui/p/%E0%A4%A")).toBeNull();
});

test("a slash at the end is no part", () => {
  expect(match("/ui", "/ui/")).toEqual({});
});
