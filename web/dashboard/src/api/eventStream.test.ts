import { expect, test } from "vitest";
import { createParser } from "./eventStream";

test("events are whole once their empty line has come", () => {
  const parse = createParser();
  expect(parse("retry: 2000\n\nevent: no")).toEqual([]);
  expect(parse('w\ndata: {"visitors":1}\n')).toEqual([]);
  expect(parse("\n: ping\n\nevent: row\ndata: a\ndata: b\n\n")).toEqual([
    { name: "now", data: '{"visitors":1}' },
    { name: "row", data: "a\nb" },
  ]);
});

test("an event without a name is a message, one without data is none", () => {
  const parse = createParser();
  expect(parse("data:x\n\nevent: empty\n\n")).toEqual([{ name: "message", data: "x" }]);
});
