import { geoNaturalEarth1, geoPath } from "d3-geo";
import { useMemo, useState } from "preact/hooks";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-110m.json";
import { alpha2 } from "../format/countryCodes";
import "./map.css";

const WIDTH = 800;
const HEIGHT = 392;

interface Shape {
  code: string; // ISO 3166 alpha-2; '' for places without one
  path: string;
}

// The shapes once, projected; Antarctica takes room and has no visitors to speak of.
let shapes: Shape[] | null = null;
function allShapes(): Shape[] {
  if (shapes) return shapes;
  const topology = atlas as unknown as Topology<{ countries: GeometryCollection }>;
  const countries = feature(topology, topology.objects.countries).features.filter((country) => country.id !== "010");
  const projection = geoNaturalEarth1().fitExtent(
    [
      [2, 2],
      [WIDTH - 2, HEIGHT - 2],
    ],
    { type: "FeatureCollection", features: countries },
  );
  const draw = geoPath(projection).digits(1);
  shapes = countries.map((country) => ({ code: alpha2(String(country.id ?? "")), path: draw(country) ?? "" }));
  return shapes;
}

// Five steps, by the square root: one large country does not make all others pale.
export const shade = (value: number, largest: number): number =>
  value <= 0 || largest <= 0 ? 0 : Math.min(5, Math.max(1, Math.ceil(Math.sqrt(value / largest) * 5)));

// Countries shaded by their value. The list of countries says the same in words.
export function WorldMap({
  values,
  title,
  describe,
  onPick,
}: {
  values: ReadonlyMap<string, number>;
  title: string;
  describe: (code: string) => string;
  onPick: (code: string) => void;
}) {
  const [tip, setTip] = useState<{ text: string; x: number; y: number } | null>(null);
  const all = useMemo(allShapes, []);
  const largest = Math.max(0, ...values.values());
  return (
    <div class="map">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title} onMouseLeave={() => setTip(null)}>
        {all.map((shape, index) => {
          const step = shade(values.get(shape.code) ?? 0, largest);
          return (
            <path
              key={index}
              d={shape.path}
              class={`map-country map-${step}`}
              onMouseMove={(event) => {
                const box = event.currentTarget.ownerSVGElement!.getBoundingClientRect();
                setTip(shape.code ? { text: describe(shape.code), x: event.clientX - box.left, y: event.clientY - box.top } : null);
              }}
              onClick={() => {
                if (step > 0) onPick(shape.code);
              }}
            />
          );
        })}
      </svg>
      {tip ? (
        <div class="map-tip" style={{ left: `${tip.x}px`, top: `${tip.y}px` }} aria-hidden="true">
          {tip.text}
        </div>
      ) : null}
    </div>
  );
}
