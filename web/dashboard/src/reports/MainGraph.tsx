import { useMemo, useState } from "preact/hooks";
import type { Answer } from "../api/query";
import { bucketLong } from "../format/dates";
import { METRICS, isMoney, plain, write } from "../state/metrics";
import { intervals, type Interval } from "../state/periods";
import { useProject } from "../state/project";
import { useLooks } from "../state/theme";
import type { Loaded } from "../state/useLoad";
import { useQuery } from "../state/useQuery";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";
import { EmptyState, ErrorState, Skeleton } from "../ui/States";
import { Table } from "../ui/Table";
import { LazyGraph } from "./LazyGraph";
import { marksOf, partialFrom, toSeries, withoutFuture } from "./graphData";
import { graphQuestion } from "./topQuestions";

const TITLES: Record<Interval, string> = { minute: "Minutes", hour: "Hours", day: "Days", week: "Weeks", month: "Months" };

// How long "all" is, from the range that the numbers' answer was of.
function daysOf(answer: Answer | null): number | null {
  if (!answer) return null;
  const [from, to] = answer.query.date_range;
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return Number.isFinite(days) ? days : null;
}

// The graph of one metric. `numbers`: the answer above it, which says what the comparison's range is.
export function MainGraph({ metric, numbers, onAnnotate }: { metric: string; numbers: Loaded<Answer>; onAnnotate: (() => void) | null }) {
  const { project, state, today, items, round, go } = useProject();
  const looks = useLooks();
  const [asTable, setAsTable] = useState(false);
  const choices = intervals(state.period, today, state.period.name === "all" ? daysOf(numbers.data) : null);
  const interval = state.interval && choices.all.includes(state.interval) ? state.interval : choices.usual;
  const ready = state.period.name !== "all" || numbers.data !== null || numbers.error !== null;

  const query = graphQuestion(project.name, state, today, metric, interval);
  const graph = useQuery(ready ? query : null, round);
  const compared = state.comparison ? numbers.data?.meta.comparison_range : undefined;
  const before = useQuery(compared ? { ...query, date_range: compared } : null);

  const shown = useMemo(() => {
    if (!graph.data) return null;
    const from = partialFrom(graph.data);
    return { series: withoutFuture(toSeries(graph.data, metric), from), from };
  }, [graph.data, metric]);
  const old = useMemo(
    () => (state.comparison && before.data ? toSeries(before.data, metric) : null),
    [before.data, metric, state.comparison],
  );
  const marks = useMemo(
    () => (graph.data ? marksOf(items.annotations, graph.data.meta.time_labels ?? [], interval) : []),
    [graph.data, items.annotations, interval],
  );
  const currency = graph.data?.results.map((row) => row.metrics[0]).find(isMoney)?.currency;
  const format = useMemo(
    () => (value: number) => write(metric, currency ? { value, currency, short: "", long: "" } : value),
    [metric, currency],
  );
  const title = METRICS[metric]?.title ?? metric;

  let body;
  if (graph.error) body = <ErrorState what="The graph could not be had" message={graph.error.message} onRetry={graph.retry} />;
  else if (!shown) body = <Skeleton height={18.67} label="Loading the graph" />;
  else if (shown.series.labels.length === 0) body = <EmptyState title="Nothing in this range" />;
  else if (asTable)
    body = (
      <div class="graph-table">
        <Table
          caption={`${title} by ${interval}`}
          rows={shown.series.labels.map((label, index) => ({ label, index }))}
          rowKey={(row) => row.label}
          columns={[
            { key: "time", title: "Time", cell: (row) => bucketLong(row.label, interval) },
            {
              key: "value",
              title,
              end: true,
              cell: (row) => {
                const value = shown.series.values[row.index];
                return value === null || value === undefined ? "–" : format(value);
              },
            },
            ...(old
              ? [
                  {
                    key: "before",
                    title: "Before",
                    end: true,
                    cell: (row: { label: string; index: number }) => {
                      const value = plain(old.values[row.index]);
                      return value === null ? "–" : format(value);
                    },
                  },
                ]
              : []),
            {
              key: "note",
              title: "Notes",
              cell: (row) => marks.filter((mark) => mark.index === row.index).map((mark) => mark.text).join("; "), // prettier-ignore
            },
          ]}
        />
      </div>
    );
  else
    body = (
      <LazyGraph
        title={`Graph of ${title} by ${interval}, ${shown.series.labels.length} points. The button "As a table" shows its numbers.`}
        size={interval}
        series={shown.series}
        before={old}
        partialFrom={shown.from}
        marks={marks}
        looks={looks}
        format={format}
        whole={METRICS[metric]?.kind === "count"}
        onPick={interval === "day" ? (label) => go({ period: { name: "day", date: label === today ? undefined : label }, interval: null }) : undefined}
      />
    );
  return (
    <section class="main-graph" aria-label={`${title} over time`} aria-busy={graph.loading}>
      <div class="main-graph-tools">
        <h2 class="main-graph-title">{title}</h2>
        {onAnnotate ? (
          <Button look="plain" small onClick={onAnnotate}>
            <Icon name="plus" size={14} /> Note
          </Button>
        ) : null}
        <Button look="plain" icon small aria-pressed={asTable} aria-label="As a table" title="As a table" onClick={() => setAsTable(!asTable)}>
          <Icon name={asTable ? "graph" : "table"} />
        </Button>
        <div id="interval-menu">
          <Menu
            small
            plain
            label="Interval"
            shortcut="i"
            title={TITLES[interval]}
            entries={choices.all.map((each) => ({
              key: each,
              title: TITLES[each],
              checked: each === interval,
              onPick: () => go({ interval: each === choices.usual ? null : each }),
            }))}
          />
        </div>
      </div>
      {body}
      {marks.length > 0 && !asTable ? (
        <ul class="graph-notes">
          {marks.map((mark) => (
            <li key={`${mark.index} ${mark.text}`}>
              <span class="graph-note-day">{bucketLong(graph.data?.meta.time_labels?.[mark.index] ?? "", interval)}</span> {mark.text}
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}
