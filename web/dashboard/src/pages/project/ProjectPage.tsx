import { useEffect } from "preact/hooks";
import { api } from "../../api/client";
import { useLoad } from "../../state/useLoad";
import { ErrorState, Skeleton } from "../../ui/States";
import type { PageProps } from "../routes";

const METRICS = ["visitors", "visits", "pageviews", "events"];

export function ProjectPage({ parts }: PageProps) {
  const project = parts.name ?? "";
  useEffect(() => {
    document.title = `${project} · weir`;
  }, [project]);
  const numbers = useLoad(project, (signal) =>
    api.post<{ results: { metrics: (number | null)[] }[] }>(
      "/api/v1/query",
      { site_id: project, metrics: METRICS, date_range: "28d" },
      { signal },
    ),
  );
  return (
    <>
      <h1>{project}</h1>
      {numbers.error ? (
        <ErrorState what="The numbers could not be had" message={numbers.error.message} onRetry={numbers.retry} />
      ) : numbers.data ? (
        <dl class="numbers">
          {METRICS.map((metric, index) => (
            <div key={metric}>
              <dt>{metric}</dt>
              <dd>{numbers.data?.results[0]?.metrics[index]?.toLocaleString() ?? "–"}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <Skeleton lines={4} />
      )}
    </>
  );
}
