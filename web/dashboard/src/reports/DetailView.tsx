import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Query, ResultRow } from "../api/query";
import { asApiError, send } from "../api/client";
import type { Filter } from "../api/types";
import { number } from "../format/numbers";
import { baseQuery, comparisons, type Detail } from "../state/dashboard";
import { dimensionName, hasPlaces, showValue } from "../state/dimensions";
import { toggleValue } from "../state/filters";
import { METRICS, change, plain, write, writeOf } from "../state/metrics";
import { intervals } from "../state/periods";
import { useProject } from "../state/project";
import { useLooks } from "../state/theme";
import { useQuery } from "../state/useQuery";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { RowBar } from "../ui/RowBar";
import { EmptyState, ErrorState, Skeleton } from "../ui/States";
import { Table, type Column } from "../ui/Table";
import { toast } from "../ui/Toast";
import { Change } from "./Change";
import { LazyGraph } from "./LazyGraph";
import { detailMetrics, listFilters, share } from "./panels";
import { partialFrom, toSeries, withoutFuture } from "./graphData";

const PAGE_ROWS = 50;
const EXPORT_ROWS = 10_000;
const PAUSE_MS = 250;

export function sorting(detail: Detail, metrics: readonly string[]): { metric: string; descending: boolean } {
  const descending = !detail.sort.startsWith("-");
  const metric = descending ? detail.sort : detail.sort.slice(1);
  return metrics.includes(metric) ? { metric, descending } : { metric: metrics[0]!, descending: true };
}

function detailQuery(base: Query, detail: Detail, metrics: string[], state: Parameters<typeof comparisons>[0]): Query {
  const { metric, descending } = sorting(detail, metrics);
  const search: Filter[] = detail.search ? [["contains", detail.dimension, [detail.search], { case_sensitive: false }]] : [];
  const filters = [...(base.filters ?? []), ...search];
  return {
    ...base,
    ...(filters.length > 0 ? { filters } : {}),
    metrics,
    dimensions: [detail.dimension],
    order_by: [[metric, descending ? "desc" : "asc"]],
    pagination: { limit: PAGE_ROWS, offset: (detail.page - 1) * PAGE_ROWS },
    include: { total_rows: true, comparisons: comparisons(state) },
  };
}

async function saveCsv(query: Query, name: string): Promise<void> {
  try {
    const answer = await send("POST", "/api/v1/query", { ...query, pagination: { limit: EXPORT_ROWS, offset: 0 }, include: {} }, { query: { format: "csv" } });
    const address = URL.createObjectURL(await answer.blob());
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch (error) {
    toast(`Not exported: ${asApiError(error).message}`, "bad");
  }
}

// How one row went over the range.
function Evolution({ dimension, value, metric }: { dimension: string; value: string; metric: string }) {
  const { project, state, today } = useProject();
  const looks = useLooks();
  const interval = intervals(state.period, today).usual;
  const graph = useQuery({
    ...baseQuery(project.name, state, today, [["is", dimension, [value]], ...listFilters(dimension)]),
    metrics: [metric],
    dimensions: [`time:${interval}`],
    include: { time_labels: true },
  });
  const series = useMemo(() => {
    if (!graph.data) return null;
    const from = partialFrom(graph.data);
    return { from, drawn: withoutFuture(toSeries(graph.data, metric), from) };
  }, [graph.data, metric]);
  const format = useMemo(() => (n: number) => write(metric, n), [metric]);
  if (graph.error) return <ErrorState what="The row's graph could not be had" message={graph.error.message} onRetry={graph.retry} />;
  if (!series) return <Skeleton height={10} label="Loading the row's graph" />;
  return (
    <LazyGraph
      title={`${METRICS[metric]?.title ?? metric} of ${showValue(dimension, value)} by ${interval}`}
      size={interval}
      series={series.drawn}
      partialFrom={series.from}
      looks={looks}
      height={160}
      whole={METRICS[metric]?.kind === "count"}
      format={format}
    />
  );
}

function Cell({ metric, row, index }: { metric: string; row: ResultRow; index: number }) {
  const shown = change(metric, row.comparison?.change[index]);
  return (
    <span title={writeOf(row, index, metric, "long")}>
      {writeOf(row, index, metric)}
      {shown ? <Change shown={shown} size="under" title={`before: ${write(metric, row.comparison?.metrics[index], "long")}`} /> : null}
    </span>
  );
}

// Everything of one dimension: searched, sorted, page by page. Its state stands in the address.
export function DetailView({ detail }: { detail: Detail }) {
  const view = useProject();
  const { project, state, today, go, href } = view;
  const { dimension } = detail;
  const metrics = useMemo(() => detailMetrics(dimension, state.filters), [dimension, state.filters]);
  const [text, setText] = useState(detail.search);
  const search = useRef<HTMLInputElement>(null);
  const change = (next: Partial<Detail>, replace = false) => go({ detail: { ...detail, ...next } }, replace);

  useEffect(() => {
    if (text === detail.search) return;
    const timer = setTimeout(() => change({ search: text, page: 1, row: null }, true), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, detail.search]);
  useEffect(() => setText((before) => (before.trim() === detail.search.trim() ? before : detail.search)), [detail.search]);

  const query = detailQuery(baseQuery(project.name, state, today, listFilters(detail.dimension)), detail, metrics, state);
  const loaded = useQuery(query);
  const { metric, descending } = sorting(detail, metrics);
  const total = loaded.data?.meta.total_rows ?? 0;
  const pages = Math.max(1, Math.ceil(total / PAGE_ROWS));
  const rows = loaded.data?.results ?? [];
  const largest = Math.max(0, ...rows.map((row) => plain(row.metrics[0]) ?? 0));
  const name = dimensionName(dimension);
  const money = metrics.filter((each, index) => METRICS[each]?.kind !== "money" || rows.some((row) => plain(row.metrics[index])));

  const columns: Column<ResultRow>[] = [
    {
      key: "value",
      title: name,
      cell: (row) => {
        const value = row.dimensions[0] ?? "";
        const shown = showValue(dimension, value);
        const open = detail.row === String(value);
        return (
          <div class="detail-value">
            <RowBar percent={share(plain(row.metrics[0]), largest)} />
            <Button
              icon
              small
              look="plain"
              aria-pressed={open}
              aria-label={`${shown} over time`}
              onClick={() => change({ row: open ? null : String(value) })}
            >
              <Icon name="graph" size={14} />
            </Button>
            <a class="row-link" href={href({ filters: toggleValue(state.filters, dimension, value), detail: null })} title={shown}>
              {shown}
            </a>
          </div>
        );
      },
    },
    ...money.map(
      (each): Column<ResultRow> => ({
        key: each,
        title: METRICS[each]?.short ?? METRICS[each]?.title ?? each,
        end: true,
        sortable: true,
        cell: (row) => <Cell metric={each} row={row} index={metrics.indexOf(each)} />,
      }),
    ),
  ];

  let body;
  if (loaded.error) body = <ErrorState what="The list could not be had" message={loaded.error.message} onRetry={loaded.retry} />;
  else if (!loaded.data) body = <Skeleton lines={12} height={1.8} label={`Loading ${name}`} />;
  else if (rows.length === 0)
    body = (
      <EmptyState title={detail.search ? `Nothing has “${detail.search}” in it` : "Nothing here in this range"}>
        {detail.search ? <Button onClick={() => setText("")}>Clear the search</Button> : null}
      </EmptyState>
    );
  else
    body = (
      <Table
        caption={name}
        columns={columns}
        rows={rows}
        rowKey={(row) => String(row.dimensions[0])}
        sorting={{ key: metric, descending }}
        onSort={(key) => change({ sort: key === metric && descending ? `-${key}` : key, page: 1 })}
      />
    );
  return (
    <Dialog
      title={name}
      wide
      onClose={() => go({ detail: null })}
      actions={
        <Button small onClick={() => void saveCsv(query, `${project.name}-${dimension.replace(/\W+/g, "-")}.csv`)}>
          <Icon name="download" size={14} /> CSV
        </Button>
      }
    >
      <div
        class="detail"
        aria-busy={loaded.loading}
        onKeyDown={(event) => {
          if (event.key !== "/" || event.target === search.current) return;
          event.preventDefault();
          search.current?.focus();
        }}
      >
        <div class="detail-tools">
          <input
            ref={search}
            class="input"
            type="text"
            role="searchbox"
            aria-label={`Search in ${name}`}
            aria-keyshortcuts="/"
            placeholder="Search"
            value={text}
            autofocus
            maxLength={500}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <span class="detail-count numbers" role="status">
            {loaded.data ? `${number(total)} ${total === 1 ? "row" : "rows"}` : ""}
          </span>
        </div>
        {detail.row !== null ? (
          <section class="detail-row" aria-label={`${showValue(dimension, detail.row)} over time`}>
            <h3>{showValue(dimension, detail.row)}</h3>
            <Evolution dimension={dimension} value={detail.row} metric={metric} />
          </section>
        ) : null}
        {body}
        {pages > 1 ? (
          <nav class="pager" aria-label="Pages">
            <Button small disabled={detail.page <= 1} onClick={() => change({ page: detail.page - 1, row: null })}>
              <Icon name="left" size={12} /> Before
            </Button>
            <span class="numbers">
              {number(detail.page)} of {number(pages)}
            </span>
            <Button small disabled={detail.page >= pages} onClick={() => change({ page: detail.page + 1, row: null })}>
              Next <Icon name="right" size={12} />
            </Button>
          </nav>
        ) : null}
        {hasPlaces(dimension) ? (
          <p class="panel-note">
            <a href="https://db-ip.com" rel="noopener" target="_blank">
              IP geolocation by DB-IP
            </a>
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
