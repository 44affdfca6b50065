import { expect, test } from "vitest";
import { nextPage } from "./LoginPage";

test("after signing in only pages of weir follow", () => {
  const to = (next: string) => nextPage(`?next=${encodeURIComponent(next)}`);
  expect(to("/ui/p/shop?period=7d")).toBe("/ui/p/shop?period=7d");
  expect(to("/ui/")).toBe("/ui/");
  expect(nextPage("")).toBe("/ui/");
  for (const elsewhere of ["https://evil.example/", "//evil.example", "/ui//evil.example", "/uix", "javascript:alert(1)", "/ui/login?next=/ui/login", "/api/v1/session"])
    expect(to(elsewhere)).toBe("/ui/");
});
