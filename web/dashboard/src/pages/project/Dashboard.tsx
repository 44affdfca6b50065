import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Filter, SessionProject } from "../../api/types";
import type { Overlay } from "../../reports/dialogs/overlay";
import { Counting, Coverage } from "../../reports/Coverage";
import { FilterChips, FilterMenu } from "../../reports/FilterBar";
import { GoalsPanel } from "../../reports/GoalsPanel";
import { lazy } from "../../reports/lazy";
import { ListPanel } from "../../reports/ListPanel";
import { LiveCount } from "../../reports/LiveCount";
import { MainGraph } from "../../reports/MainGraph";
import { PANELS } from "../../reports/panels";
import { PeriodPicker } from "../../reports/PeriodPicker";
import { TopNumbers } from "../../reports/TopNumbers";
import { topQuestions } from "../../reports/topQuestions";
import { WeekReport } from "../../reports/WeekReport";
import { actionOf, isTaken } from "../../reports/keys";
import { USUAL_COMPARISON } from "../../state/dashboard";
import { mayCompare, step } from "../../state/periods";
import { ProjectProvider, useProject, useProjectView } from "../../state/project";
import { navigate, projectPath } from "../../state/router";
import { findProject, mayAs, useSession } from "../../state/session";
import { useQuery } from "../../state/useQuery";
import { EmptyState } from "../../ui/States";
import type { PageProps } from "../routes";
import { FirstEvent } from "./FirstEvent";
import "./project.css";

const loadOverlays = () => import("./Overlays").then((module) => module.Overlays);
const Overlays = lazy(loadOverlays, 0);

export function ProjectPage({ parts }: PageProps) {
  const session = useSession();
  const project = findProject(session, parts.name ?? "");
  if (!project)
    return (
      <EmptyState page title={`There is no project ${parts.name ?? ""} for you`}>
        <p>
          It may have been renamed, or you may not be let into it. <a href="/ui/">All projects</a>
        </p>
      </EmptyState>
    );
  return <Dashboard project={project} shared={false} />;
}

// The page of one project, for those who signed in and for those who hold a share link.
export function Dashboard({ project, shared }: { project: SessionProject; shared: boolean }) {
  const view = useProjectView(project, shared);
  useEffect(() => {
    document.title = `${project.name} · weir`;
  }, [project.name]);
  return (
    <ProjectProvider value={view}>
      <Content />
    </ProjectProvider>
  );
}

function useKeys(open: (overlay: Overlay) => void): void {
  const view = useProject();
  const session = useSession();
  // With the page that shows it: a key pressed at once must not be about the state before.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = actionOf(event);
      if (!action || isTaken(event, action)) return;
      const { state, today, go } = view;
      switch (action.kind) {
        case "period":
          go({ period: action.period(today), interval: null });
          break;
        case "step": {
          const next = step(state.period, action.by, today);
          if (!next) return;
          go({ period: next });
          break;
        }
        case "compare":
          if (!mayCompare(state.period)) return;
          go({ comparison: state.comparison ? null : USUAL_COMPARISON });
          break;
        case "interval":
          document.querySelector<HTMLElement>("#interval-menu button")?.click();
          break;
        case "project": {
          const other = session?.projects[action.index];
          if (!other || view.shared) return;
          navigate(projectPath(other.name) + window.location.search);
          break;
        }
        case "clear":
          if (state.filters.length === 0 && !state.traffic) return;
          go({ filters: [], traffic: null });
          break;
        case "custom":
          open({ kind: "range" });
          break;
        case "search":
          open({ kind: "filter", filter: null });
          break;
        case "help":
          open({ kind: "help" });
          break;
        case "palette":
          open({ kind: "palette" });
          break;
      }
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [view, session, open]);
}

// Drawn once what stands above them is on the screen: a slow phone shows the numbers earlier for it.
function Panels() {
  const [drawn, setDrawn] = useState(false);
  useEffect(() => setDrawn(true), []);
  return (
    <div class="panels">
      {drawn ? (
        <>
          <ListPanel panel={PANELS.sources} />
          <ListPanel panel={PANELS.pages} />
          <ListPanel panel={PANELS.places} />
          <ListPanel panel={PANELS.devices} />
          <GoalsPanel />
          <WeekReport />
        </>
      ) : null}
    </div>
  );
}

function Content() {
  const view = useProject();
  const { project, shared, state, today, round, go } = view;
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  useKeys(setOverlay);
  const edit = (filter: Filter | null) => setOverlay({ kind: "filter", filter });
  const realtime = state.period.name === "realtime";
  const questions = topQuestions(project.name, state, today);
  const { metrics } = questions.numbers;
  const slow = questions.slow?.metrics ?? [];
  const numbers = useQuery(questions.numbers, round, true);
  const slowNumbers = useQuery(questions.slow, round);
  const covered = useQuery(questions.covered, round);
  const metric = [...metrics, ...slow].includes(state.metric) ? state.metric : metrics[0]!;
  // Once the numbers are there, what opens over them is fetched, so that it opens at once.
  const settled = numbers.data !== null;
  useEffect(() => {
    if (settled) loadOverlays().catch(() => undefined); // told when one is opened
  }, [settled]);
  // Nothing at all, without any filter: the project waits for its first event.
  const all = Object.values(covered.data?.meta.coverage ?? {}).reduce((sum, events) => sum + events, 0);
  const nothing = covered.data !== null && !covered.loading && all === 0 && state.filters.length === 0 && !realtime;
  return (
    <>
      <h1 class="sr-only">{project.name}</h1>
      <div class="controls">
        <div class="controls-row">
          {shared ? <strong class="controls-name">{project.name}</strong> : null}
          <LiveCount />
          <FilterMenu onAdd={() => edit(null)} onSave={() => setOverlay({ kind: "segment" })} />
          <span class="controls-space" />
          <PeriodPicker onCustom={(what) => setOverlay({ kind: what })} />
        </div>
        <FilterChips onEdit={edit} />
      </div>
      <Counting />
      {nothing ? <FirstEvent onPeriod={(name) => go({ period: { name }, interval: null })} /> : null}
      <div class="card top">
        <TopNumbers
          metrics={metrics}
          loaded={numbers}
          slow={slow}
          loadedSlow={slowNumbers}
          chosen={metric}
          onInfo={(about) => setOverlay({ kind: "number", metric: about })}
        />
        <MainGraph
          metric={metric}
          numbers={numbers}
          onAnnotate={!shared && mayAs(project, "editor") ? () => setOverlay({ kind: "annotate" }) : null}
        />
        <Coverage answer={covered.data} now={Date.now()} />
      </div>
      <Panels />
      <footer class="page-foot">
        <button type="button" class="foot-link" onClick={() => setOverlay({ kind: "help" })}>
          Keys <kbd>?</kbd>
        </button>
        <button type="button" class="foot-link" onClick={() => setOverlay({ kind: "palette" })}>
          Commands <kbd>Ctrl K</kbd>
        </button>
        <span>Times are those of {project.time_zone}</span>
        <a href="https://db-ip.com" rel="noopener" target="_blank">
          IP geolocation by DB-IP
        </a>
      </footer>
      {overlay || state.detail ? <Overlays view={view} overlay={overlay} metrics={[...metrics, ...slow]} onClose={() => setOverlay(null)} onOpen={setOverlay} /> : null}
    </>
  );
}
