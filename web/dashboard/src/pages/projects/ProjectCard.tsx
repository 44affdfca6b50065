import { ask } from "../../api/query";
import type { SessionProject } from "../../api/types";
import { Sparkline } from "../../charts/Sparkline";
import { number, percent, short } from "../../format/numbers";
import { projectPath } from "../../state/router";
import { useLoad } from "../../state/useLoad";
import { Skeleton } from "../../ui/States";
import { useSeen } from "../../ui/useSeen";

interface Numbers {
  visitors: number;
  change: number | null; // percent, against the 24 hours before; null: there was nobody then
  hours: number[];
}

async function load(project: string, signal: AbortSignal): Promise<Numbers> {
  const base = { site_id: project, metrics: ["visitors"], date_range: "24h" };
  const [sum, hours] = await Promise.all([
    ask({ ...base, include: { comparisons: { mode: "previous_period" } } }, signal),
    ask({ ...base, dimensions: ["time:hour"], include: { time_labels: true } }, signal),
  ]);
  const value = (cell: unknown) => (typeof cell === "number" ? cell : 0);
  const row = sum.results[0];
  const byHour = new Map(hours.results.map((each) => [String(each.dimensions[0]), value(each.metrics[0])]));
  const labels = hours.meta.time_labels ?? [...byHour.keys()].sort();
  return { visitors: value(row?.metrics[0]), change: row?.comparison?.change[0] ?? null, hours: labels.map((label) => byHour.get(label) ?? 0) };
}

function Change({ change }: { change: number | null }) {
  if (change === null) return null;
  const direction = change > 0 ? "up" : change < 0 ? "down" : "flat";
  const words = { up: "more than", down: "fewer than", flat: "as many as" }[direction];
  return (
    <span class={`project-change change-${direction}`}>
      <span aria-hidden="true">{{ up: "↑", down: "↓", flat: "" }[direction]} </span>
      {percent(Math.abs(change))}
      <span class="sr-only"> {words} the 24 hours before</span>
    </span>
  );
}

export function ProjectCard({ project, round }: { project: SessionProject; round: number }) {
  const { ref, seen } = useSeen<HTMLLIElement>();
  const { data, error } = useLoad(seen ? `${project.name} ${round}` : null, (signal) => load(project.name, signal));
  return (
    <li ref={ref}>
      <a class="card project-card" href={projectPath(project.name)}>
        <span class="project-name" title={project.name}>
          {project.name}
        </span>
        {data ? (
          <>
            <span class="project-numbers">
              <span class="project-visitors numbers">{short(data.visitors)}</span>
              <span class="soft">{data.visitors === 1 ? "visitor" : "visitors"} in 24 hours</span>
              {data.visitors === 0 && data.change === 0 ? null : <Change change={data.change} />}
            </span>
            <span class="project-spark">
              <Sparkline values={data.hours} title={`Visitors by the hour, at most ${number(Math.max(0, ...data.hours))}`} />
            </span>
          </>
        ) : error ? (
          <span class="soft">No numbers: {error.message}</span>
        ) : (
          <Skeleton lines={2} height={1.6} label={`Loading the numbers of ${project.name}`} />
        )}
      </a>
    </li>
  );
}
