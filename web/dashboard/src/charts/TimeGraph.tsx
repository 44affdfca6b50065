import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { bucketLong, bucketShort, type BucketSize } from "../format/dates";
import { onAxis } from "../format/numbers";

export interface Series {
  labels: string[]; // one a bucket, oldest first
  values: (number | null)[];
}
export interface Mark {
  index: number;
  text: string;
}

interface Props {
  title: string; // what is drawn, spoken
  size: BucketSize;
  series: Series;
  before?: Series | null; // the comparison, bucket by bucket
  partialFrom?: number | null; // from this bucket on they are not over yet
  marks?: readonly Mark[];
  looks: "light" | "dark"; // drawn anew when it changes
  height?: number;
  format: (value: number) => string;
  whole?: boolean; // there is nothing between 0 and 1
  onPick?: (label: string) => void; // a click on a bucket
}

// Colours come from the stylesheet, so that they follow the theme.
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function tooltipLine(text: string, className: string): HTMLElement {
  const line = document.createElement("div");
  line.className = className;
  line.textContent = text;
  return line;
}

function fillTooltip(box: HTMLElement, props: Props, index: number): void {
  const { series, before, format, size, partialFrom, marks } = props;
  const value = series.values[index];
  const lines = [
    tooltipLine(bucketLong(series.labels[index] ?? "", size), "graph-tip-title"),
    tooltipLine(value === null || value === undefined ? "–" : format(value), "graph-tip-value"),
  ];
  if (before && before.labels[index] !== undefined) {
    const old = before.values[index];
    lines.push(
      tooltipLine(`${old === null || old === undefined ? "–" : format(old)} · ${bucketLong(before.labels[index], size)}`, "graph-tip-before"),
    );
  }
  if (partialFrom !== null && partialFrom !== undefined && index >= partialFrom) lines.push(tooltipLine("not over yet", "graph-tip-before"));
  for (const mark of marks ?? []) if (mark.index === index) lines.push(tooltipLine(mark.text, "graph-tip-mark"));
  box.replaceChildren(...lines);
}

function placeTooltip(plot: uPlot, box: HTMLElement, props: Props): void {
  const { idx, left } = plot.cursor;
  const ahead = idx !== null && idx !== undefined && idx > (props.partialFrom ?? Infinity); // nothing can be said of it yet
  if (idx === null || idx === undefined || left === undefined || left < 0 || ahead) {
    box.hidden = true;
    return;
  }
  fillTooltip(box, props, idx);
  box.hidden = false;
  const x = plot.valToPos(idx, "x") + plot.over.offsetLeft;
  const width = box.offsetWidth;
  const fits = x + width + 12 < plot.root.clientWidth;
  box.style.left = `${Math.max(0, fits ? x + 12 : x - width - 12)}px`;
}

function drawMarks(plot: uPlot, marks: readonly Mark[]): void {
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("--graph-mark");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark.index, "x", true));
    ctx.beginPath();
    ctx.moveTo(x, plot.bbox.top);
    ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(x, plot.bbox.top + 4 * devicePixelRatio, 4 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

const WHOLE = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

// Buckets that carry a label under the axis: whole steps that leave room for the text.
function splits(count: number, width: number): number[] {
  const step = Math.max(1, Math.ceil(count / Math.max(2, Math.floor(width / 86))));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}

function options(props: Props, width: number, box: HTMLElement): uPlot.Options {
  const { series, before, size, format, marks, partialFrom, height = 280 } = props;
  const line = colour("--graph-line");
  const grid = { stroke: colour("--graph-grid"), width: 1 };
  const axis = { stroke: colour("--text-soft"), font: `12px ${colour("--font")}`, grid, ticks: { show: false } };
  const single = series.values.filter((value) => value !== null).length < 2;
  const all: uPlot.Series[] = [
    {},
    { stroke: line, width: 2.2, fill: colour("--graph-fill"), points: { show: single, size: 8, fill: line } },
    { stroke: line, width: 2.2, dash: [4, 4], fill: colour("--graph-fill"), points: { show: partialFrom === 0, size: 8, fill: line } },
  ];
  if (before) all.push({ stroke: colour("--graph-before"), width: 1.6, dash: [6, 4], points: { show: false } });
  return {
    width,
    height,
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 8, fill: line, width: 0 },
    },
    scales: {
      x: { time: false, range: [-0.02 * series.labels.length, series.labels.length - 1 + 0.02 * series.labels.length] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        splits: (plot) => splits(series.labels.length, plot.width),
        values: (_, at) => at.map((index) => bucketShort(series.labels[index] ?? "", size)),
        size: 28,
      },
      {
        ...axis,
        incrs: props.whole ? WHOLE : undefined,
        values: (_, at) => (props.whole ? onAxis(at) : at.map(format)),
        size: (_, texts) => Math.max(30, ...(texts ?? []).map((text) => text.length * 7 + 12)),
      },
    ],
    series: all,
    hooks: {
      draw: [(plot) => drawMarks(plot, marks ?? [])],
      setCursor: [(plot) => placeTooltip(plot, box, props)],
    },
  };
}

// The solid line ends where the first unfinished bucket begins; the dotted one goes on from there.
function data({ series, before, partialFrom }: Props): uPlot.AlignedData {
  const cut = partialFrom ?? series.values.length;
  const whole = series.values.map((value, index) => (index < cut ? value : null));
  const dotted = series.values.map((value, index) => (partialFrom !== null && partialFrom !== undefined && index >= cut - 1 ? value : null));
  const rows: (number | null)[][] = [series.labels.map((_, index) => index), whole, dotted];
  if (before) rows.push(series.labels.map((_, index) => before.values[index] ?? null));
  return rows as uPlot.AlignedData;
}

export function TimeGraph(props: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const { series, before, size, looks, height, partialFrom, marks, title } = props;
  useEffect(() => {
    const element = holder.current!;
    const plot = new uPlot(options(latest.current, element.clientWidth, box.current!), data(latest.current), element);
    const pick = () => {
      const { idx } = plot.cursor;
      const { partialFrom: begun } = latest.current;
      if (idx !== null && idx !== undefined && idx <= (begun ?? Infinity)) latest.current.onPick?.(latest.current.series.labels[idx] ?? "");
    };
    plot.over.addEventListener("click", pick);
    let width = element.clientWidth;
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth === width || element.clientWidth === 0) return;
      width = element.clientWidth;
      plot.setSize({ width, height: plot.height });
    });
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      plot.destroy();
    };
  }, [series, before, size, looks, height, partialFrom, marks]);
  return (
    <div class="graph" role="img" aria-label={title} style={{ minHeight: `${height ?? 280}px` }}>
      <div ref={holder} />
      <div class="graph-tip" ref={box} hidden aria-hidden="true" />
    </div>
  );
}
