import { expect, test } from "vitest";
import { snippetOf } from "./SnippetTab";

test("snippets name the project, and nothing in it ends a script", () => {
  expect(snippetOf("page", "https://stats.example.com", "my.shop")).toContain('"https://stats.example.com/v1/events?app=my.shop"');
  expect(snippetOf("page", "https://a.example", "</script>").match(/<\/script>/g)).toHaveLength(1);
  expect(snippetOf("curl", "https://a.example", "a'b")).not.toContain("a'b");
});
