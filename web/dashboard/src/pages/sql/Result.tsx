import { useMemo, useState } from "preact/hooks";
import { PlainChart, seriesColour } from "../../charts/PlainChart";
import { number } from "../../format/numbers";
import { Button } from "../../ui/Button";
import { Table } from "../../ui/Table";
import { Tabs } from "../../ui/Tabs";
import { cellText, chartOf, isNumeric, type Cell, type SqlTable } from "./rows";

const PAGE_ROWS = 100;
const POINTS_MAX = 2000;

function Shown({ cell }: { cell: Cell }) {
  if (cell === null) return <span class="sql-null">null</span>;
  const text = cellText(cell);
  return <span title={text.length > 40 ? text : undefined}>{text}</span>;
}

export function Result({ table, elapsedMs, children }: { table: SqlTable; elapsedMs: number; children: preact.ComponentChildren }) {
  const [page, setPage] = useState(0);
  const [view, setView] = useState<"table" | "chart">("table");
  const chart = useMemo(() => chartOf(table), [table]);
  const first = page * PAGE_ROWS;
  const rows = table.rows.slice(first, first + PAGE_ROWS);
  const series = chart
    ? chart.y.map((column) => ({
        name: table.names[column]!,
        values: table.rows.slice(0, POINTS_MAX).map((row) => (row[column] === null ? null : Number(row[column]))),
      }))
    : [];
  const drawn = view === "chart" && chart !== null;
  return (
    <section class="card sql-result" aria-label="Result">
      <div class="sql-result-head">
        <h2>Result</h2>
        <span class="soft numbers" role="status">
          {table.whole ? "" : "the first "}
          {number(table.rows.length)} {table.rows.length === 1 ? "row" : "rows"} in {number(Math.round(elapsedMs))} ms
        </span>
        {chart ? (
          <Tabs
            label="How to show the result"
            tabs={[
              { key: "table", title: "Table" },
              { key: "chart", title: "Chart" },
            ]}
            selected={view}
            onSelect={(key) => setView(key as "table" | "chart")}
          />
        ) : null}
        {children}
      </div>
      {drawn ? (
        <div class="sql-chart">
          <PlainChart
            kind={chart.kind}
            labels={table.rows.slice(0, POINTS_MAX).map((row) => cellText(row[chart.x] ?? null))}
            series={series}
            title={`${series.map((one) => one.name).join(", ")} by ${table.names[chart.x]}; the table has the numbers`}
          />
          <div class="chart-legend">
            {series.map((one, index) => (
              <span key={one.name}>
                <i style={{ background: seriesColour(index) }} />
                {one.name}
              </span>
            ))}
          </div>
        </div>
      ) : table.rows.length === 0 ? (
        <p class="state">The statement ran, and answered no rows.</p>
      ) : (
        <Table
          caption="Rows of the result"
          columns={table.names.map((name, column) => ({
            key: `${column}`,
            title: <span title={table.types[column]}>{name}</span>,
            end: isNumeric(table, column),
            cell: (row: Cell[]) => <Shown cell={row[column] ?? null} />,
          }))}
          rows={rows}
          rowKey={(_, index) => first + index}
        />
      )}
      {!drawn && table.rows.length > PAGE_ROWS ? (
        <div class="sql-bar">
          <Button small disabled={page === 0} onClick={() => setPage(page - 1)}>
            Before
          </Button>
          <Button small disabled={first + PAGE_ROWS >= table.rows.length} onClick={() => setPage(page + 1)}>
            Next
          </Button>
          <span class="soft numbers">
            {number(first + 1)}–{number(first + rows.length)} of {number(table.rows.length)}
          </span>
        </div>
      ) : null}
    </section>
  );
}
