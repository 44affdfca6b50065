import { expect, test } from "vitest";
import { pieces } from "./highlight";

const kinds = (sql: string) => pieces(sql).filter((piece) => piece.kind !== "plain").map((piece) => `${piece.kind}:${piece.text}`);

test("pieces make up the whole text, whatever it is", () => {
  for (const sql of ["", "select 1", "select 'it''s' -- end", "/* open", "'open", "select \"a\\\"b\" from `t`", "1e", "é\n\tselect"])
    expect(pieces(sql).map((piece) => piece.text).join("")).toBe(sql);
});

test("words, texts, numbers and comments are told apart", () => {
  expect(kinds("SELECT count() FROM events WHERE path = '/select' AND x > 1.5 -- from")).toEqual([
    "keyword:SELECT", "keyword:FROM", "keyword:WHERE", "string:'/select'", "keyword:AND", "number:1.5", "comment:-- from",
  ]); // prettier-ignore
  expect(kinds("fromage")).toEqual([]);
});
