import { expect, test } from "vitest";
import { filterText } from "./ItemsTab";

test("filters read as words", () => {
  expect(filterText(["is", "visit:country", ["DE", "FR"]])).toBe("country is DE or FR");
  expect(filterText(["and", [["contains", "event:props:plan", ["pro"]], ["not", ["is", "event:page", ["/"]]]]])).toBe("plan contains pro and not (page is /)");
  expect(filterText(["has_not_done", ["is", "event:goal", ["signup"]]])).toBe("has not done (goal is signup)");
});
