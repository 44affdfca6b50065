import type { Answer, ResultRow } from "../api/query";
import { METRICS, change, plain, write, writeOf } from "../state/metrics";
import { mayCompare } from "../state/periods";
import { useProject } from "../state/project";
import { Icon } from "../ui/Icon";
import { ErrorState, Skeleton } from "../ui/States";
import type { Loaded } from "../state/useLoad";
import { Change } from "./Change";

const OPTIONAL = ["time_on_page", "scroll_depth", "total_revenue", "average_revenue"];

function TopNumber({
  metric,
  row,
  index,
  chosen,
  onInfo,
}: {
  metric: string;
  row: ResultRow | undefined;
  index: number; // of the metric in the row
  chosen: boolean;
  onInfo: (metric: string) => void;
}) {
  const { href, state } = useProject();
  const title = METRICS[metric]?.title ?? metric;
  const before = row?.comparison?.metrics[index];
  const shown = plain(row?.metrics[index]) === null ? null : change(metric, row?.comparison?.change[index]);
  return (
    <li class={chosen ? "top-number top-chosen" : "top-number"}>
      <a class="top-link" href={href({ metric })} aria-current={chosen ? "true" : undefined}>
        <span class="top-title">{title}</span>
        <span class="top-value numbers" title={writeOf(row, index, metric, "long")}>
          {writeOf(row, index, metric)}
        </span>
        <span class="sr-only">{writeOf(row, index, metric, "long")}, show in the graph</span>
      </a>
      {before !== undefined ? (
        <div class="top-foot" title={`before: ${write(metric, before, "long")}`}>
          {shown ? <Change shown={shown} /> : null}
          {state.comparison ? <span class="top-before numbers">{write(metric, before)}</span> : null}
        </div>
      ) : null}
      <button type="button" class="top-info" aria-label={`What is ${title}?`} onClick={() => onInfo(metric)}>
        <Icon name="info" size={14} />
      </button>
    </li>
  );
}

// The answers' values are of `metrics` and of `slow`, in their order.
export function TopNumbers({
  metrics,
  loaded,
  slow,
  loadedSlow,
  chosen,
  onInfo,
}: {
  metrics: readonly string[];
  loaded: Loaded<Answer>;
  slow: readonly string[];
  loadedSlow: Loaded<Answer>;
  chosen: string;
  onInfo: (metric: string) => void;
}) {
  const { state } = useProject();
  if (loaded.error) return <ErrorState what="The numbers could not be had" message={loaded.error.message} onRetry={loaded.retry} />;
  if (!loaded.data)
    return (
      <div class="top-numbers">
        {[...metrics, ...slow].map((metric) => (
          <div key={metric} class="top-number">
            <Skeleton lines={mayCompare(state.period) ? 3 : 2} label="Loading the numbers" />
          </div>
        ))}
      </div>
    );
  const numbersOf = (asked: readonly string[], answer: Answer) => {
    const row = answer.results[0];
    return asked.map((metric, index) => {
      // Scroll depth, time and money are shown where there are any.
      if (OPTIONAL.includes(metric) && !plain(row?.metrics[index] ?? null)) return null;
      return (
        <TopNumber key={metric} metric={metric} row={row} index={index} chosen={metric === chosen} onInfo={onInfo} />
      );
    });
  };
  return (
    <ul class="top-numbers" aria-busy={loaded.loading}>
      {numbersOf(metrics, loaded.data)}
      {loadedSlow.data
        ? numbersOf(slow, loadedSlow.data)
        : loadedSlow.loading
          ? slow.map((metric) => (
              <li key={metric} class="top-number">
                <Skeleton lines={mayCompare(state.period) ? 3 : 2} label={METRICS[metric]?.title} />
              </li>
            ))
          : null}
    </ul>
  );
}
