import type { Answer, ResultRow } from "../api/query";
import { METRICS, change, plain, write, writeOf } from "../state/metrics";
import { dimensionName, showValue } from "../state/dimensions";
import { toggleValue } from "../state/filters";
import { useProject } from "../state/project";
import { RowBar } from "../ui/RowBar";
import { Change } from "./Change";
import { share } from "./panels";

function RowChange({ metric, row }: { metric: string; row: ResultRow }) {
  const shown = change(metric, row.comparison?.change[0]);
  if (!shown) return null;
  return <Change shown={shown} size="small" title={`before: ${write(metric, row.comparison?.metrics[0], "long")}`} />;
}

// A list of values with bars; a click asks for the value only. `first`: how the first column is called.
export function Rows({ dimension, metrics, answer, first }: { dimension: string; metrics: readonly string[]; answer: Answer; first: string }) {
  const { state, href } = useProject();
  const largest = Math.max(0, ...answer.results.map((row) => plain(row.metrics[0]) ?? 0));
  // Money that nobody earned is no column.
  const shown = metrics.map((metric, index) => ({ metric, index })).filter(
    ({ metric, index }) => METRICS[metric]?.kind !== "money" || answer.results.some((row) => plain(row.metrics[index])),
  ); // prettier-ignore
  return (
    <table class="rows" aria-label={first}>
      <thead>
        <tr>
          <th scope="col">{first}</th>
          {shown.map(({ metric }) => (
            <th key={metric} scope="col" class={`end metric-${metric}${METRICS[metric]?.kind === "money" ? " money" : ""}`}>
              {METRICS[metric]?.short ?? METRICS[metric]?.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {answer.results.map((row) => {
          const value = row.dimensions[0] ?? "";
          const text = showValue(dimension, value);
          return (
            <tr key={String(value)}>
              <th scope="row">
                <RowBar percent={share(plain(row.metrics[0]), largest)} />
                <a
                  class="row-link"
                  href={href({ filters: toggleValue(state.filters, dimension, value), detail: null })}
                  title={text}
                >
                  {text}
                  <span class="sr-only">, filter by {dimensionName(dimension)}</span>
                </a>
              </th>
              {shown.map(({ metric, index }) => (
                <td key={metric} class={`end numbers metric-${metric}`} title={writeOf(row, index, metric, "long")}>
                  {index === 0 ? <RowChange metric={metric} row={row} /> : null}
                  {writeOf(row, index, metric)}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
