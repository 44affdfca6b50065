import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, asApiError, isAbort, type ApiError } from "../../api/client";
import { duration, number } from "../../format/numbers";
import { navigate, useLocation } from "../../state/router";
import { findProject, mayAs, useSession } from "../../state/session";
import { useLoad } from "../../state/useLoad";
import { Button } from "../../ui/Button";
import { Menu } from "../../ui/Menu";
import { EmptyState, Skeleton } from "../../ui/States";
import { toast } from "../../ui/Toast";
import { NotFoundPage } from "../NotFoundPage";
import type { PageProps } from "../routes";
import { Editor } from "./Editor";
import { exportSql, type ExportFormat } from "./export";
import { Result } from "./Result";
import { placeOf, runSql, type SqlTable } from "./rows";
import { SaveDialog, SavedQueries, useSavedQueries } from "./SavedQueries";
import "../pages.css";
import "./sql.css";

const ROWS_MAX = 10_000;
const ADDRESS_SQL_MAX = 4000; // longer statements do not stand in the address

interface Schema {
  tables: { name: string; note: string; columns: { name: string; type: string; note: string }[] }[];
  limits: { seconds: number; statement_bytes: number; rows: number; bytes: number };
}

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const example = (project: string | null) =>
  `SELECT toDate(timestamp) AS day, uniqExact(visitor_id) AS visitors, countIf(kind = 'pageview') AS pageviews\nFROM events\nWHERE ${project ? `project = ${quoted(project)} AND ` : ""}traffic = 'human' AND timestamp > now() - INTERVAL 30 DAY\nGROUP BY day\nORDER BY day`;

function SqlError({ error, sql, onPlace }: { error: ApiError; sql: string; onPlace: (at: number) => void }) {
  const at = placeOf(error.message, sql);
  const line = at === null ? 0 : sql.slice(0, at).split("\n").length;
  const begin = at === null ? 0 : sql.lastIndexOf("\n", at - 1) + 1;
  const text = at === null ? "" : sql.slice(begin).split("\n")[0]!;
  const inLine = (at ?? 0) - begin;
  const word = /^\w+|^./.exec(text.slice(inLine))?.[0] ?? " ";
  return (
    <div class="sql-error" role="alert">
      {error.message.replace(/^(store|query|api): /, "")}
      {at === null ? null : (
        <>
          <code>
            {line}: {text.slice(0, inLine)}
            <mark>{word}</mark>
            {text.slice(inLine + word.length)}
          </code>
          <Button small look="plain" onClick={() => onPlace(at)}>
            Go there
          </Button>
        </>
      )}
    </div>
  );
}

function SchemaList({ onPick }: { onPick: (text: string) => void }) {
  const schema = useLoad("schema", (signal) => api.get<Schema>("/api/v1/sql/schema", { signal }));
  if (schema.error)
    return (
      <section class="card" aria-label="Schema">
        <h2>Schema</h2>
        <p class="field-error">{schema.error.message}</p>
        <Button small onClick={schema.retry}>
          Try again
        </Button>
      </section>
    );
  if (!schema.data) return <Skeleton lines={6} label="Loading the schema" />;
  const { tables, limits } = schema.data;
  return (
    <>
      <section class="card" aria-label="Schema">
        <h2>Schema</h2>
        {tables.map((table, index) => (
          <details key={table.name} open={index === 0 && window.innerWidth > 1000}>
            <summary title={table.note}>
              <code>{table.name}</code>
            </summary>
            <p class="soft">{table.note}</p>
            <ul class="sql-columns">
              {table.columns.map((column) => (
                <li key={column.name}>
                  <button type="button" title={`${column.type}: ${column.note}`} onClick={() => onPick(column.name)}>
                    {column.name}
                    <span>{column.type.replace(/^LowCardinality\((.*)\)$/, "$1")}</span>
                  </button>
                </li>
              ))}
            </ul>
          </details>
        ))}
      </section>
      <section class="card" aria-label="Limits">
        <h2>Limits</h2>
        <p class="soft">
          Read-only. A statement runs at most {duration(limits.seconds)}, has at most {number(Math.round(limits.statement_bytes / 1024))} KiB, and answers at most{" "}
          {number(limits.rows)} rows or {number(Math.round(limits.bytes / 1024 / 1024))} MiB. Here the first {number(ROWS_MAX)} rows are shown; an export has all.
        </p>
      </section>
    </>
  );
}

export function SqlPage({ parts }: PageProps) {
  const session = useSession();
  const { path, search } = useLocation();
  const name = parts.name ?? null;
  const project = name === null ? null : findProject(session, name);
  const parameters = useMemo(() => new URLSearchParams(search), [search]);
  const [sql, setSql] = useState(() => parameters.get("sql") ?? example(name));
  const [table, setTable] = useState<{ table: SqlTable; elapsedMs: number; sql: string } | null>(null);
  const [error, setError] = useState<{ error: ApiError; sql: string } | null>(null);
  const [place, setPlace] = useState<{ at: number } | null>(null);
  const [saving, setSaving] = useState(false);
  const [busy, setBusy] = useState<"run" | "export" | null>(null);
  const running = useRef<AbortController | null>(null);
  const saved = useSavedQueries(name);
  const openId = parameters.get("query");
  const open = saved.data?.find((query) => query.id === openId) ?? null;
  useEffect(() => {
    document.title = `SQL · ${name ?? "weir"}`;
    return () => running.current?.abort();
  }, [name]);
  useEffect(() => {
    if (open) setSql(open.sql);
  }, [open?.id]);

  if (name !== null && !project) return <NotFoundPage />;
  if (name !== null ? !mayAs(project, "editor") : !(session?.projects ?? []).some((each) => mayAs(each, "editor")))
    return (
      <EmptyState page title="SQL is for editors">
        <p>{name !== null ? "Your role in this project shows its reports. An administrator can make you an editor." : "You are an editor of no project yet."}</p>
      </EmptyState>
    );

  const begin = (what: "run" | "export") => {
    running.current?.abort();
    running.current = new AbortController();
    setBusy(what);
    return running.current.signal;
  };
  const run = async () => {
    if (!sql.trim()) return;
    const signal = begin("run");
    setError(null);
    const next = new URLSearchParams(search);
    if (!open || open.sql !== sql) next.delete("query");
    if (next.has("query") || sql.length > ADDRESS_SQL_MAX) next.delete("sql");
    else next.set("sql", sql);
    const text = next.toString();
    navigate(path + (text ? `?${text}` : ""), { replace: true, keepScroll: true });
    const started = performance.now();
    try {
      const answer = await runSql(sql, ROWS_MAX, signal);
      setTable({ table: answer, elapsedMs: performance.now() - started, sql });
    } catch (why) {
      if (!isAbort(why) && !signal.aborted) {
        setTable(null);
        setError({ error: asApiError(why), sql });
      }
    }
    if (!signal.aborted) setBusy(null);
  };
  const cancel = () => {
    running.current?.abort();
    setBusy(null);
  };
  const exportAs = async (format: ExportFormat) => {
    if (!table) return;
    const signal = begin("export");
    try {
      await exportSql(table.sql, format, open?.name.replace(/[^\w.-]+/g, "-") ?? "result", signal);
    } catch (why) {
      if (!isAbort(why) && !signal.aborted) toast(`Not exported: ${asApiError(why).message}`, "bad");
    }
    if (!signal.aborted) setBusy(null);
  };
  return (
    <>
      <div class="page-head">
        <h1>SQL{name === null ? ", all projects" : ""}</h1>
      </div>
      <div class="sql">
        <div class="sql-main">
          <section class="card" aria-label="Statement">
            <Editor value={sql} place={place} onText={setSql} onRun={() => void run()} />
            {error ? <SqlError error={error.error} sql={error.sql} onPlace={(at) => setPlace({ at })} /> : null}
            <div class="sql-bar">
              {busy ? (
                <Button onClick={cancel}>Cancel</Button>
              ) : (
                <Button look="primary" disabled={!sql.trim()} onClick={() => void run()}>
                  Run
                </Button>
              )}
              <Button disabled={!sql.trim()} onClick={() => setSaving(true)}>
                Save…
              </Button>
              <span class="soft" role="status">
                {busy === "run" ? "Running…" : busy === "export" ? "Exporting…" : "Ctrl+Enter runs it"}
              </span>
            </div>
          </section>
          {table ? (
            <Result key={table.sql + table.elapsedMs} table={table.table} elapsedMs={table.elapsedMs}>
              <Menu
                label="Export the whole result"
                title="Export"
                small
                entries={[
                  { key: "csv", title: "CSV", onPick: () => void exportAs("csv") },
                  { key: "jsonl", title: "JSON lines", onPick: () => void exportAs("jsonl") },
                  { key: "parquet", title: "Parquet", onPick: () => void exportAs("parquet") },
                ]}
              />
            </Result>
          ) : null}
        </div>
        <div class="sql-side">
          <SavedQueries
            queries={saved.data}
            error={saved.error}
            selected={openId}
            onPick={(query) => `${path}?query=${encodeURIComponent(query.id)}`}
            onChanged={saved.retry}
          />
          <SchemaList onPick={(text) => setSql((before) => `${before}${/[\s(,]$/.test(before) || before === "" ? "" : " "}${text}`)} />
        </div>
      </div>
      {saving ? (
        <SaveDialog
          sql={sql}
          project={name}
          known={open}
          onClose={() => setSaving(false)}
          onSaved={(query) => {
            setSaving(false);
            saved.retry();
            navigate(`${path}?query=${encodeURIComponent(query.id)}`, { replace: true });
            toast(`Saved as “${query.name}”`);
          }}
        />
      ) : null}
    </>
  );
}
