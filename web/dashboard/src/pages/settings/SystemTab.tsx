import { api } from "../../api/client";
import { PlainChart, seriesColour } from "../../charts/PlainChart";
import { moment } from "../../format/dates";
import { duration, number, percent, short } from "../../format/numbers";
import { useLoad } from "../../state/useLoad";
import { useRound } from "../../state/useQuery";
import { Table } from "../../ui/Table";
import { Loadable, Section } from "./Section";

interface Partition {
  partition: string;
  begin: number;
  end: number;
  loaded?: number;
  lag_events?: number;
  lag_seconds?: number;
  bytes: number;
  damaged_ranges: number;
  without_row?: Record<string, number>;
}

interface Pack {
  name: string;
  purpose: string;
  state: string;
  expected: boolean;
  own: boolean;
  source: string;
  version: string;
  reason: string;
  bytes: number;
  old: boolean;
  age_days: number | null;
}

interface System {
  version: string;
  started_at: string;
  now: string;
  roles: string[];
  memory_bytes: number;
  checks: { name: string; ok: boolean; detail: string }[];
  collected: Record<string, number>;
  refused: Record<string, number>;
  rates: [at: number, live: number, history: number, stored: number][];
  journal: Partition[];
  store?: { up: boolean; version?: string; rows?: number; parts?: number; bytes?: number; rollup_bytes?: number; detached_parts?: number; error?: string; sql_refused: string };
  disk: { path: string; total_bytes?: number; free_bytes?: number; parts: { name: string; bytes: number }[] };
  packs?: Pack[];
}

const REFRESH_SECONDS = 5;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(value: number): string {
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; ++unit) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

const perRow = (bytes: number | undefined, rows: number | undefined): string => (rows ? number(Math.round(((bytes ?? 0) / rows) * 10) / 10) : "–");

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function Rates({ rates }: { rates: System["rates"] }) {
  const last = rates.at(-1);
  if (!last) return <p class="soft">The first figures come ten seconds after the start.</p>;
  const series = [
    { name: "taken", values: rates.map((sample) => sample[1]) },
    { name: "stored", values: rates.map((sample) => sample[3]) },
    ...(rates.some((sample) => sample[2] > 0) ? [{ name: "taken from history", values: rates.map((sample) => sample[2]) }] : []),
  ];
  return (
    <>
      <PlainChart
        kind="line"
        labels={rates.map((sample) => clock.format(sample[0] * 1000))}
        series={series}
        title={`Events a second of the last ten minutes; now ${short(last[1])} taken and ${short(last[3])} stored`}
      />
      <div class="chart-legend">
        {series.map((one, index) => (
          <span key={one.name}>
            <i style={{ background: seriesColour(index) }} />
            {one.name}: {short(one.values.at(-1) ?? 0)}/s
          </span>
        ))}
      </div>
    </>
  );
}

function Disk({ disk }: { disk: System["disk"] }) {
  const total = disk.total_bytes ?? 0;
  const parts = [...disk.parts].sort((a, b) => b.bytes - a.bytes).filter((part) => part.bytes > 0);
  const used = parts.reduce((sum, part) => sum + part.bytes, 0);
  return (
    <>
      <p>
        <code>{disk.path}</code> holds <strong>{bytes(used)}</strong>
        {total > 0 ? (
          <>
            {" "}
            of a volume of {bytes(total)}, of which {bytes(disk.free_bytes ?? 0)} ({percent(((disk.free_bytes ?? 0) / total) * 100)}) are free
          </>
        ) : null}
        .
      </p>
      <div class="disk-bar" role="img" aria-label="Disk by part; the table has the numbers">
        {parts.map((part, index) => (
          <span key={part.name} style={{ flex: `${part.bytes} 0 0`, background: seriesColour(index) }} />
        ))}
      </div>
      <Table
        caption="Disk by part"
        columns={[
          { key: "name", title: "Part", cell: (row) => <code>{row.name}</code> },
          { key: "bytes", title: "Size", end: true, cell: (row) => bytes(row.bytes) },
        ]}
        rows={parts}
        rowKey={(row) => row.name}
      />
    </>
  );
}

export function SystemTab() {
  const round = useRound(REFRESH_SECONDS);
  const loaded = useLoad(`system ${round}`, (signal) => api.get<System>("/api/v1/system", { signal }));
  return (
    <Loadable loaded={loaded.data ? { ...loaded, error: null } : loaded} what="The state of the system">
      {(system) => {
        const bad = system.checks.filter((check) => !check.ok);
        const refused = Object.entries(system.refused).filter(([, count]) => count > 0);
        return (
          <>
            {loaded.error ? <p class="notice">The figures below are old: {loaded.error.message}</p> : null}
            <Section title="weir">
              <dl class="tiles">
                <div>
                  <dt>Version</dt>
                  <dd>{system.version}</dd>
                </div>
                <div>
                  <dt>Running for</dt>
                  <dd>{duration((Date.parse(system.now) - Date.parse(system.started_at)) / 1000)}</dd>
                </div>
                <div>
                  <dt>Memory</dt>
                  <dd>{bytes(system.memory_bytes)}</dd>
                </div>
                <div>
                  <dt>Does</dt>
                  <dd>{system.roles.join(", ")}</dd>
                </div>
                <div>
                  <dt>Taken since the start</dt>
                  <dd class="numbers">{number(system.collected.accepted ?? 0)}</dd>
                </div>
                <div>
                  <dt>Rejected, dropped</dt>
                  <dd class="numbers">
                    {number(system.collected.rejected ?? 0)}, {number(system.collected.dropped ?? 0)}
                  </dd>
                </div>
              </dl>
              {refused.length > 0 ? (
                <p class="soft">Requests refused as a whole: {refused.map(([reason, count]) => `${number(count)} for ${reason.replaceAll("_", " ")}`).join(", ")}.</p>
              ) : null}
              {bad.length > 0 ? (
                <ul class="notice">
                  {bad.map((check) => (
                    <li key={check.name}>
                      {check.name}: {check.detail}
                    </li>
                  ))}
                </ul>
              ) : (
                <p>
                  <span class="badge badge-good">All checks are good</span>
                </p>
              )}
            </Section>
            <Section title="Events a second">
              <Rates rates={system.rates} />
            </Section>
            <Section title="From the journal to the store" hint="What was accepted is in the journal; it is loaded into the store from there, each event once.">
              <Table
                stacks
                caption="Loading"
                columns={[
                  { key: "partition", title: "Partition", cell: (row) => (row.partition === "live" ? "live: what happens now" : "bulk: history") },
                  { key: "end", title: "Accepted", end: true, cell: (row) => number(row.end) },
                  { key: "loaded", title: "Loaded", end: true, cell: (row) => (row.loaded === undefined ? "" : number(row.loaded)) },
                  {
                    key: "lag",
                    title: "Behind",
                    end: true,
                    cell: (row) => (row.lag_events ? `${number(row.lag_events)} (${duration(row.lag_seconds ?? 0)})` : row.lag_events === 0 ? "none" : ""),
                  },
                  {
                    key: "without",
                    title: "Without a row",
                    cell: (row) =>
                      Object.entries(row.without_row ?? {})
                        .filter(([, count]) => count > 0)
                        .map(([outcome, count]) => `${number(count)} ${outcome}`)
                        .join(", ") || "none",
                  },
                  { key: "bytes", title: "On disk", end: true, cell: (row) => bytes(row.bytes) },
                ]}
                rows={system.journal}
                rowKey={(row) => row.partition}
              />
            </Section>
            {system.store ? (
              <Section title="Store">
                <dl class="tiles">
                  <div>
                    <dt>ClickHouse</dt>
                    <dd>{system.store.version ?? "–"}</dd>
                  </div>
                  <div>
                    <dt>State</dt>
                    <dd>{system.store.up ? "answers" : "does not answer"}</dd>
                  </div>
                  <div>
                    <dt>Rows</dt>
                    <dd class="numbers">{number(system.store.rows ?? 0)}</dd>
                  </div>
                  <div>
                    <dt>Bytes a row</dt>
                    <dd class="numbers">
                      {perRow(system.store.bytes, system.store.rows)}
                      {system.store.rollup_bytes ? `, and ${perRow(system.store.rollup_bytes, system.store.rows)} of sums` : ""}
                    </dd>
                  </div>
                  <div>
                    <dt>Parts</dt>
                    <dd class="numbers">
                      {number(system.store.parts ?? 0)}
                      {system.store.detached_parts ? `, ${number(system.store.detached_parts)} set aside` : ""}
                    </dd>
                  </div>
                </dl>
                {system.store.error ? <p class="field-error">{system.store.error}</p> : null}
                {system.store.sql_refused ? <p class="notice">SQL of persons is refused: {system.store.sql_refused}</p> : null}
              </Section>
            ) : null}
            <Section title="Disk">
              <Disk disk={system.disk} />
            </Section>
            {system.packs ? (
              <Section
                title="Data packs"
                hint={
                  <>
                    What bots, programs and places are told by. <code>weir packs update FILE</code> takes a newer one while weir runs.
                  </>
                }
              >
                <Table
                  stacks
                  caption="All packs"
                  columns={[
                    { key: "name", title: "Pack", cell: (row) => <code>{row.name}</code> },
                    { key: "purpose", title: "For", cell: (row) => row.purpose },
                    {
                      key: "state",
                      title: "State",
                      cell: (row) =>
                        row.state === "ok" ? (
                          <span class={row.old ? "badge badge-warn" : "badge badge-good"}>{row.old ? "old" : "good"}</span>
                        ) : row.expected || row.state !== "missing" ? (
                          <span class="badge badge-bad" title={row.reason}>
                            {row.state}
                          </span>
                        ) : (
                          <span class="badge">none</span>
                        ),
                    },
                    { key: "age", title: "Age", end: true, cell: (row) => (row.age_days === null ? "" : `${number(row.age_days)} days`) },
                    { key: "bytes", title: "Size", end: true, cell: (row) => (row.bytes > 0 ? bytes(row.bytes) : "") },
                    { key: "from", title: "From", cell: (row) => (row.own ? "your own file" : `${row.source} ${row.version}`.trim()) },
                  ]}
                  rows={system.packs}
                  rowKey={(row) => row.name}
                />
              </Section>
            ) : null}
            <p class="soft">
              As of {moment(system.now)}, looked at every {REFRESH_SECONDS} s. The same numbers for Prometheus: <code>/metrics</code>.
            </p>
          </>
        );
      }}
    </Loadable>
  );
}
