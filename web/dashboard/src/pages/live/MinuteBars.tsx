import type { LiveNow } from "../../api/live";
import { number } from "../../format/numbers";

const MINUTES = 30;
const WIDTH = 600;
const HEIGHT = 100;

// Visitors by the minute of the last half hour, the latest at the end; a minute without anybody has no bar.
export function minuteValues(series: LiveNow["series"], nowSeconds: number): number[] {
  const last = Math.floor(nowSeconds / 60);
  const byMinute = new Map(series.map(([minute, visitors]) => [Math.floor(minute / 60), visitors]));
  return Array.from({ length: MINUTES }, (_, index) => byMinute.get(last - MINUTES + 1 + index) ?? 0);
}

export function MinuteBars({ now }: { now: LiveNow }) {
  const values = minuteValues(now.series, Date.now() / 1000);
  const largest = Math.max(1, ...values);
  const step = WIDTH / MINUTES;
  return (
    <figure>
      <svg
        class="live-bars"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Visitors by the minute of the last half hour, at most ${number(Math.max(...values))}`}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} stroke="var(--line)" vector-effect="non-scaling-stroke" />
        {values.map((value, index) => {
          const height = (value / largest) * (HEIGHT - 4);
          return (
            <rect key={index} x={index * step + 2} y={HEIGHT - height} width={step - 4} height={height} rx="2" fill="var(--graph-line)">
              <title>{`${MINUTES - 1 - index} minutes ago: ${number(value)} visitors`}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption class="live-bars-label">
        <span>30 minutes ago</span>
        <span>Visitors a minute</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}
