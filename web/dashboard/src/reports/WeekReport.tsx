import { useMemo } from "preact/hooks";
import { hourName, weekdayName } from "../format/dates";
import { baseQuery } from "../state/dashboard";
import { METRICS, write } from "../state/metrics";
import { useProject } from "../state/project";
import { useQuery } from "../state/useQuery";
import { ErrorState, Skeleton } from "../ui/States";
import { useSeen } from "../ui/useSeen";
import { PanelFrame } from "./ListPanel";
import { weekGrid } from "./weekGrid";

const COUNTS = ["visitors", "visits", "pageviews", "events", "conversions"];

// When people come: a cell an hour of the week.
export function WeekReport() {
  const { project, state, today, round } = useProject();
  const { ref, seen } = useSeen<HTMLDivElement>();
  const metric = COUNTS.includes(state.metric) ? state.metric : "visitors";
  const loaded = useQuery(
    seen
      ? { ...baseQuery(project.name, state, today), metrics: [metric], dimensions: ["time:weekday", "time:hour_of_day"], pagination: { limit: 168, offset: 0 } }
      : null,
    round,
  );
  const grid = useMemo(() => (loaded.data ? weekGrid(loaded.data) : null), [loaded.data]);
  const title = METRICS[metric]?.short ?? METRICS[metric]?.title ?? metric;
  let body;
  if (loaded.error) body = <ErrorState what="The week could not be had" message={loaded.error.message} onRetry={loaded.retry} />;
  else if (!grid) body = <Skeleton height={12} label="Loading the week" />;
  else
    body = (
      <div class="week-scroll" role="region" aria-label={`${title} by weekday and hour`} tabIndex={0}>
        <table class="week">
          <caption class="sr-only">{`${title} by weekday and hour of the day, in the project's time zone`}</caption>
          <thead>
            <tr>
              <td />
              {grid.cells[0]!.map((_, hour) => (
                <th key={hour} scope="col">
                  <span class={hour % 3 === 0 ? undefined : "sr-only"}>{hourName(hour)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {grid.cells.map((hours, day) => (
              <tr key={day}>
                <th scope="row">{weekdayName(day + 1)}</th>
                {hours.map((cell, hour) => (
                  <td
                    key={hour}
                    class={`heat heat-${cell.step}`}
                    title={`${weekdayName(day + 1, "long")}, ${hourName(hour)}: ${write(metric, cell.value, "long")} ${title.toLowerCase()}`}
                  >
                    <span class="sr-only">{write(metric, cell.value, "long")}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  return (
    <PanelFrame title="Weekdays and hours" busy={loaded.loading}>
      <div ref={ref} class="panel-content">
        {body}
      </div>
    </PanelFrame>
  );
}
