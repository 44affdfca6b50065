import { expect, test } from "vitest";
import atlas from "world-atlas/countries-110m.json";
import { alpha2 } from "./countryCodes";

// The atlas shortens some names, or uses others than Intl does.
const OTHER_NAMES: Record<string, string> = {
  US: "United States of America", CD: "Dem. Rep. Congo", DO: "Dominican Rep.", FK: "Falkland Is.", TF: "Fr. S. Antarctic Lands",
  CF: "Central African Rep.", GQ: "Eq. Guinea", SZ: "eSwatini", CI: "Côte d'Ivoire", CG: "Congo", MM: "Myanmar", PS: "Palestine",
  SB: "Solomon Is.", BA: "Bosnia and Herz.", MK: "Macedonia", TT: "Trinidad and Tobago", SS: "S. Sudan", EH: "W. Sahara",
  TR: "Turkey", CZ: "Czechia",
}; // prettier-ignore

test("each shape of the map has the letters of its own country", () => {
  const names = new Intl.DisplayNames("en", { type: "region" });
  const shapes = (atlas as unknown as { objects: { countries: { geometries: { id?: string; properties: { name: string } }[] } } }).objects.countries.geometries;
  const wrong = shapes
    .filter((shape) => shape.id !== undefined)
    .map((shape) => [alpha2(shape.id!), shape.properties.name] as const)
    .filter(([code, name]) => code === "" || (names.of(code) !== name && OTHER_NAMES[code] !== name));
  expect(wrong).toEqual([]);
  expect(shapes.length).toBeGreaterThan(170);
});

test("a number that is none has no letters", () => {
  expect(alpha2("999")).toBe("");
  expect(alpha2("4AF")).toBe("");
  expect(alpha2("")).toBe("");
});
