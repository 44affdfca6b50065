import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LiveRow, RowFilter } from "../../api/live";
import { countryName } from "../../format/places";
import { number } from "../../format/numbers";
import { lazy } from "../../reports/lazy";
import { navigate, useLocation } from "../../state/router";
import { findProject, mayAs, useSession } from "../../state/session";
import { useLive } from "../../state/useLive";
import { ErrorState, Skeleton } from "../../ui/States";
import { Tabs } from "../../ui/Tabs";
import { NotFoundPage } from "../NotFoundPage";
import type { PageProps } from "../routes";
import { Debugger } from "./Debugger";
import { EventDialog } from "./EventDialog";
import { EventTail } from "./EventTail";
import { MinuteBars } from "./MinuteBars";
import { parseFilters } from "./tailFilters";
import "../pages.css";
import "./live.css";

const ROWS_SHOWN = 200;
const LIST_ROWS = 8;
const NO_FILTERS: RowFilter[] = [];
const WorldMap = lazy(() => import("../../charts/WorldMap").then((module) => module.WorldMap), 12);

function List({ title, rows, name = (text) => text }: { title: string; rows: readonly [string, number][]; name?: (text: string) => string }) {
  const largest = rows[0]?.[1] ?? 1;
  return (
    <section class="card live-panel" aria-label={title}>
      <div class="live-panel-head">
        <h2>{title}</h2>
        <span class="soft">visitors in 30 minutes</span>
      </div>
      {rows.length === 0 ? (
        <p class="soft">Nobody in the last half hour.</p>
      ) : (
        <ol class="live-list">
          {rows.slice(0, LIST_ROWS).map(([text, visitors]) => (
            <li key={text}>
              <span class="live-list-bar" style={{ width: `${(visitors / largest) * 100}%` }} aria-hidden="true" />
              <span class="live-list-name" title={name(text)}>
                {name(text)}
              </span>
              <span class="live-list-value numbers">{number(visitors)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

// Rows as they come, the newest first. While they are paused they wait, and the oldest of those are let go.
function useTail(): { rows: LiveRow[]; skipped: number; paused: boolean; add: (row: LiveRow) => void; skip: (rows: number) => void; pause: (paused: boolean) => void; clear: () => void } {
  const [rows, setRows] = useState<LiveRow[]>([]);
  const [skipped, setSkipped] = useState(0);
  const [paused, setPaused] = useState(false);
  const waiting = useRef<LiveRow[]>([]);
  const isPaused = useRef(false);
  return {
    rows,
    skipped,
    paused,
    add: (row) => {
      if (isPaused.current) waiting.current = [row, ...waiting.current].slice(0, ROWS_SHOWN);
      else setRows((before) => [row, ...before.filter((other) => other.event_id !== row.event_id)].slice(0, ROWS_SHOWN));
    },
    skip: (count) => setSkipped((before) => before + count),
    pause: (now) => {
      isPaused.current = now;
      setPaused(now);
      if (now) return;
      const later = waiting.current;
      waiting.current = [];
      setRows((before) => [...later, ...before].slice(0, ROWS_SHOWN));
    },
    clear: () => {
      waiting.current = [];
      setRows([]);
      setSkipped(0);
    },
  };
}

export function LivePage({ parts }: PageProps) {
  const session = useSession();
  const { path, search } = useLocation();
  const project = findProject(session, parts.name ?? "");
  const parameters = useMemo(() => new URLSearchParams(search), [search]);
  const filters = useMemo(() => parseFilters(parameters.get("filter")), [parameters]);
  const seesEvents = mayAs(project, "editor");
  const debugging = seesEvents && parameters.get("view") === "debugger";
  const tail = useTail();
  const live = useLive(project?.name ?? "", seesEvents && !debugging ? (filters.length > 0 ? filters : NO_FILTERS) : null, tail.add, tail.skip);
  const [picked, setPicked] = useState<LiveRow | null>(null);
  useEffect(() => {
    document.title = `Live · ${parts.name} · weir`;
  }, [parts.name]);
  if (!project) return <NotFoundPage />;

  const go = (change: Record<string, string | null>) => {
    const next = new URLSearchParams(search);
    for (const [key, value] of Object.entries(change)) {
      if (value === null) next.delete(key);
      else next.set(key, value);
    }
    const text = next.toString();
    navigate(path + (text ? `?${text}` : ""), { keepScroll: true });
  };
  const { now } = live;
  const status = live.connected ? (live.stale ? "The store does not answer; numbers are old" : "Live") : live.error ? "Connecting again…" : "Connecting…";
  return (
    <>
      <div class="page-head">
        <h1>Live</h1>
        {seesEvents ? (
          <Tabs
            label="Live"
            tabs={[
              { key: "now", title: "Now" },
              { key: "debugger", title: "Debugger" },
            ]}
            selected={debugging ? "debugger" : "now"}
            panelId="live-view"
            onSelect={(key) => go({ view: key === "now" ? null : key, id: null })}
          />
        ) : null}
        <span class="live-status" data-on={live.connected && !live.stale} role="status">
          {status}
        </span>
      </div>
      <div id="live-view">
        {debugging ? (
          <Debugger project={project.name} id={parameters.get("id")} />
        ) : live.error && !live.error.passing ? (
          <ErrorState what="The live view was refused" message={live.error.message} />
        ) : !now ? (
          live.error ? (
            <ErrorState what="The live view is not there" message={`${live.error.message} It is tried again.`} />
          ) : (
            <Skeleton lines={4} height={3} label="Loading what happens now" />
          )
        ) : (
          <>
            <section class="card live-top" aria-label="Right now">
              <div>
                <p class="live-big numbers">{number(now.visitors)}</p>
                <p>{now.visitors === 1 ? "visitor" : "visitors"} in the last 5 minutes</p>
                <dl class="live-side">
                  <div>
                    <dt>Visitors, 30 min</dt>
                    <dd class="numbers">{number(now.visitors_30m)}</dd>
                  </div>
                  <div>
                    <dt>Page views</dt>
                    <dd class="numbers">{number(now.pageviews_30m)}</dd>
                  </div>
                  <div>
                    <dt>Events</dt>
                    <dd class="numbers">{number(now.events_30m)}</dd>
                  </div>
                </dl>
              </div>
              <MinuteBars now={now} />
            </section>
            <div class="live-grid" data-tail={seesEvents}>
              {seesEvents ? (
                <EventTail
                  rows={tail.rows}
                  skipped={tail.skipped}
                  paused={tail.paused}
                  filters={filters}
                  onPause={tail.pause}
                  onClear={tail.clear}
                  onFilters={(next) => {
                    tail.clear();
                    go({ filter: next.length > 0 ? JSON.stringify(next) : null });
                  }}
                  onPick={setPicked}
                />
              ) : null}
              <div class="live-column">
                <section class="card live-panel" aria-label="Map">
                  <WorldMap
                    values={new Map(now.countries)}
                    title={`Map of visitors of the last half hour from ${now.countries.length} countries; the list Countries has them`}
                    describe={(code: string) => `${countryName(code)}: ${number(new Map(now.countries).get(code) ?? 0)} visitors`}
                    onPick={(code: string) => {
                      if (seesEvents) go({ filter: JSON.stringify([["is", "country", [code]]]) });
                    }}
                  />
                </section>
                <List title="Pages" rows={now.pages} />
                <List title="Sources" rows={now.sources} />
                <List title="Countries" rows={now.countries} name={countryName} />
              </div>
            </div>
          </>
        )}
      </div>
      {picked ? (
        <EventDialog
          row={picked}
          onTrace={(id) => {
            setPicked(null);
            go({ view: "debugger", id });
          }}
          onClose={() => setPicked(null)}
        />
      ) : null}
    </>
  );
}
