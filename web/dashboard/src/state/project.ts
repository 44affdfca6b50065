import { createContext } from "preact";
import { useCallback, useContext, useMemo, useState } from "preact/hooks";
import type { SessionProject } from "../api/types";
import { today as todayIn } from "../format/days";
import { formatState, keptParameters, parseState, type DashboardState } from "./dashboard";
import { useItems, type Items } from "./items";
import { navigate, useLocation } from "./router";
import { useRound } from "./useQuery";

// What the parts of a project page share.
export interface ProjectView {
  project: SessionProject;
  shared: boolean; // seen through a share link: nothing can be changed
  today: string; // of the project's zone
  state: DashboardState;
  items: Items & { settled: boolean; reload: () => void };
  round: number; // counts up when a page of today refreshes itself, and when it is told to
  refresh: () => void;
  segmentName: (id: string) => string;
  // The address of a changed state, for links.
  href: (change: Partial<DashboardState>) => string;
  // Goes there. `replace`: no step for Back (typing in a search box, say).
  go: (change: Partial<DashboardState>, replace?: boolean) => void;
}

const Context = createContext<ProjectView | null>(null);
export const ProjectProvider = Context.Provider;

export function useProject(): ProjectView {
  const view = useContext(Context);
  if (!view) throw new Error("outside of a project page");
  return view;
}

const REFRESH_SECONDS: Partial<Record<string, number>> = { realtime: 15, day: 60, "24h": 60 };

export function useProjectView(project: SessionProject, shared: boolean): ProjectView {
  const { path, search } = useLocation();
  const state = useMemo(() => parseState(search), [search]);
  const items = useItems(project.name);
  const [told, setTold] = useState(0);
  const refresh = useCallback(() => setTold((n) => n + 1), []);
  const round = told + useRound(REFRESH_SECONDS[state.period.date ? "past" : state.period.name] ?? 0);
  const today = todayIn(project.time_zone, project.clock);
  const href = useCallback(
    (change: Partial<DashboardState>) => path + formatState({ ...state, ...change }, keptParameters(search)),
    [path, search, state],
  );
  const go = useCallback(
    (change: Partial<DashboardState>, replace = false) => navigate(href(change), { replace, keepScroll: true }),
    [href],
  );
  const segmentName = useCallback(
    (id: string) => items.segments.find((segment) => segment.id === id)?.name ?? "a segment",
    [items.segments],
  );
  return { project, shared, today, state, items, round, refresh, segmentName, href, go };
}
