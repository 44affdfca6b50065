import { expect, test } from "vitest";
import { KEY_HELP, actionOf } from "./keys";

const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  actionOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

test("letters choose periods, small or large", () => {
  for (const key of "DERHWFTNMPYSLA") {
    expect(press(key)?.kind).toBe("period");
    expect(press(key.toLowerCase())?.kind).toBe("period");
  }
});

test("the browser keeps its own keys", () => {
  expect(press("r", { ctrlKey: true })).toBeNull();
  expect(press("d", { metaKey: true })).toBeNull();
  expect(press("ArrowLeft", { altKey: true })).toBeNull();
  expect(press("Tab")).toBeNull();
  expect(press("0")).toBeNull();
});

test("other keys", () => {
  expect(press("k", { ctrlKey: true })).toEqual({ kind: "palette" });
  expect(press("K", { metaKey: true })).toEqual({ kind: "palette" });
  expect(press("?", { shiftKey: true })).toEqual({ kind: "help" });
  expect(press("ArrowRight")).toEqual({ kind: "step", by: 1 });
  expect(press("9")).toEqual({ kind: "project", index: 8 });
  expect(press("Escape")).toEqual({ kind: "clear" });
});

test("every key with an action is in the list that ? shows", () => {
  const listed = KEY_HELP.map((entry) => entry.keys).join(" ");
  for (const key of "DERHWFTNMPYSLACXI/?") expect(listed).toContain(key);
});
