import type { Answer, MetricValue } from "../api/query";
import { METRICS, change, plain, write } from "../state/metrics";
import { useProject } from "../state/project";
import { Icon } from "../ui/Icon";
import { ErrorState, Skeleton } from "../ui/States";
import type { Loaded } from "../state/useLoad";

function Change({ metric, value }: { metric: string; value: number | null | undefined }) {
  const shown = change(metric, value);
  if (!shown) return null;
  const look = shown.good === null ? "" : shown.good ? " change-good" : " change-bad";
  return (
    <span class={`change${look}`}>
      <span aria-hidden="true">{shown.arrow}</span>
      <span class="sr-only">{shown.arrow === "↑" ? "up " : shown.arrow === "↓" ? "down " : "unchanged "}</span> {shown.text}
    </span>
  );
}

function TopNumber({
  metric,
  value,
  before,
  changed,
  chosen,
  onInfo,
}: {
  metric: string;
  value: MetricValue;
  before?: MetricValue;
  changed?: number | null;
  chosen: boolean;
  onInfo: (metric: string) => void;
}) {
  const { href } = useProject();
  const title = METRICS[metric]?.title ?? metric;
  return (
    <li class={chosen ? "top-number top-chosen" : "top-number"}>
      <a
        class="top-link"
        href={href({ metric })}
        aria-current={chosen ? "true" : undefined}
      >
        <span class="top-title">{title}</span>
        <span class="top-value numbers" title={write(metric, value, "long")}>
          {write(metric, value)}
        </span>
        <span class="sr-only">{write(metric, value, "long")}, show in the graph</span>
      </a>
      <div class="top-foot">
        {plain(value) === null ? null : <Change metric={metric} value={changed} />}
        {before !== undefined ? <span class="top-before numbers">{write(metric, before)}</span> : null}
        <button type="button" class="top-info" aria-label={`What is ${title}?`} onClick={() => onInfo(metric)}>
          <Icon name="info" size={14} />
        </button>
      </div>
    </li>
  );
}

// `metrics` and the answer's values go together.
export function TopNumbers({ metrics, loaded, chosen, onInfo }: { metrics: readonly string[]; loaded: Loaded<Answer>; chosen: string; onInfo: (metric: string) => void }) {
  if (loaded.error) return <ErrorState what="The numbers could not be had" message={loaded.error.message} onRetry={loaded.retry} />;
  const row = loaded.data?.results[0];
  if (!loaded.data)
    return (
      <div class="top-numbers">
        {metrics.map((metric) => (
          <div key={metric} class="top-number">
            <Skeleton lines={2} label="Loading the numbers" />
          </div>
        ))}
      </div>
    );
  return (
    <ul class="top-numbers" aria-busy={loaded.loading}>
      {metrics.map((metric, index) => {
        const value = row?.metrics[index] ?? null;
        // Scroll depth, time and money are shown where there are any.
        const optional = ["time_on_page", "scroll_depth", "total_revenue", "average_revenue"].includes(metric);
        if (optional && !plain(value)) return null;
        return (
          <TopNumber
            key={metric}
            metric={metric}
            value={value}
            before={row?.comparison?.metrics[index]}
            changed={row?.comparison?.change[index]}
            chosen={metric === chosen}
            onInfo={onInfo}
          />
        );
      })}
    </ul>
  );
}
