import { useEffect, useRef, useState } from "preact/hooks";
import { short } from "../format/numbers";
import "./plain.css";

const LABEL_WIDTH = 130;
const HEIGHT = 280;
const LEFT = 56;
const BOTTOM = 28;
const TOP = 10;
const BARS_MAX = 40;
const COLOURS = ["var(--graph-line)", "var(--graph-mark)", "var(--good)", "var(--bad)", "var(--text-soft)"];
export const seriesColour = (index: number): string => COLOURS[index % COLOURS.length]!;

export interface Series {
  name: string;
  values: (number | null)[];
}

// A round number at or above the largest.
export function niceMax(largest: number): number {
  if (!(largest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= largest) ?? largest;
}

// Lines over labels in their order, or bars of the first series. The table beside it has every number.
export function PlainChart({ kind, labels, series, title }: { kind: "line" | "bar"; labels: readonly string[]; series: readonly Series[]; title: string }) {
  const svg = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const sizes = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) setWidth(Math.round(entry.contentRect.width));
    });
    sizes.observe(svg.current!);
    return () => sizes.disconnect();
  }, []);
  const shown = kind === "bar" ? Math.min(labels.length, BARS_MAX) : labels.length;
  const all = (kind === "bar" ? series.slice(0, 1) : series).flatMap((one) => one.values.slice(0, shown)).filter((value) => value !== null);
  const top = niceMax(Math.max(0, ...all));
  const bottom = Math.min(0, ...all) < 0 ? -niceMax(-Math.min(...all)) : 0;
  const y = (value: number) => TOP + (1 - (value - bottom) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);
  const step = (width - LEFT) / Math.max(1, kind === "bar" ? shown : shown - 1);
  const x = (index: number) => LEFT + index * step;
  const marks = [bottom, (top + bottom) / 2, top];
  const every = Math.max(1, Math.ceil(shown / Math.max(2, Math.floor((width - LEFT) / (kind === "bar" ? LABEL_WIDTH / 2 : LABEL_WIDTH)))));
  const path = (values: (number | null)[]) => {
    let open = false;
    return values
      .map((value, index) => {
        if (value === null) {
          open = false;
          return "";
        }
        const point = `${open ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
        open = true;
        return point;
      })
      .join("");
  };
  return (
    <svg ref={svg} class="chart-plot" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={title}>
      {marks.map((mark) => (
        <g key={mark}>
          <line x1={LEFT} x2={width} y1={y(mark)} y2={y(mark)} stroke="var(--graph-grid)" />
          <text x={LEFT - 8} y={y(mark) + 4} text-anchor="end" font-size="12" fill="var(--text-soft)">
            {short(mark)}
          </text>
        </g>
      ))}
      {labels.slice(0, shown).map((label, index) =>
        index % every === 0 ? (
          <text
            key={index}
            x={kind === "bar" ? x(index) + step / 2 : x(index)}
            y={HEIGHT - 8}
            text-anchor={kind === "bar" ? "middle" : index === 0 ? "start" : x(index) > width - 60 ? "end" : "middle"}
            font-size="12"
            fill="var(--text-soft)"
          >
            {label.length > 16 ? `${label.slice(0, 15)}…` : label}
          </text>
        ) : null,
      )}
      {kind === "bar"
        ? (series[0]?.values ?? []).slice(0, shown).map((value, index) =>
            value === null ? null : (
              <rect key={index} x={x(index) + step * 0.12} width={step * 0.76} y={Math.min(y(value), y(0))} height={Math.abs(y(value) - y(0))} rx="2" fill={seriesColour(0)}>
                <title>{`${labels[index]}: ${value}`}</title>
              </rect>
            ),
          )
        : series.map((one, index) => (
            <path key={one.name} d={path(one.values)} fill="none" stroke={seriesColour(index)} stroke-width="2" stroke-linejoin="round" />
          ))}
    </svg>
  );
}
