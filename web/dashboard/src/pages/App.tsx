import { useEffect, useState } from "preact/hooks";
import { asApiError, type ApiError } from "../api/client";
import { navigate, useLocation } from "../state/router";
import { loadSession, useSession } from "../state/session";
import { ErrorState, Skeleton } from "../ui/States";
import { Toasts } from "../ui/Toast";
import { Frame } from "./Frame";
import { NotFoundPage } from "./NotFoundPage";
import { findRoute, type Page, type Route } from "./routes";

const loaded = new Map<Route, Page>();
const loadPage = async (route: Route): Promise<void> => {
  loaded.set(route, await route.load());
};
// The code of the page at this path, so that it can be drawn at once.
export async function loadPageAt(path: string): Promise<void> {
  const found = findRoute(path);
  if (found) await loadPage(found.route);
}
let firstSession: Promise<unknown> | null = null;

// Begins what the first page takes, before anything is drawn. What fails here is told, and tried again, by the page itself.
export async function prepare(): Promise<void> {
  firstSession = loadSession();
  await Promise.allSettled([firstSession, loadPageAt(window.location.pathname)]);
}

// The page of a route; null while its code is on its way.
function usePage(route: Route | null): { page: Page | null; error: ApiError | null; retry: () => void } {
  const [, redraw] = useState(0);
  const [error, setError] = useState<ApiError | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!route || loaded.has(route)) return;
    let gone = false;
    loadPage(route).then(
      () => {
        if (!gone) {
          setError(null);
          redraw((n) => n + 1);
        }
      },
      (why: unknown) => {
        if (!gone) setError(asApiError(why));
      },
    );
    return () => {
      gone = true;
    };
  }, [route, round]);
  return { page: (route && loaded.get(route)) ?? null, error, retry: () => setRound((n) => n + 1) };
}

// Where somebody sets up the second factor that this weir asks everybody for, before anything else.
const SECOND_FACTOR = "/ui/settings/account";

// Where somebody who may not see this page goes instead; null: they may.
function instead(route: Route | null, session: ReturnType<typeof useSession>, url: string): string | null {
  if (!route || route.open || !session) return null;
  const lacksFactor = session.user?.second_factor_required && !session.user.second_factor;
  if (lacksFactor && !url.startsWith(SECOND_FACTOR)) return SECOND_FACTOR;
  if (session.user) return null;
  if (session.setup_needed) return "/ui/setup";
  return `/ui/login?next=${encodeURIComponent(url)}`;
}

export function App() {
  const location = useLocation();
  const session = useSession();
  const [error, setError] = useState<ApiError | null>(null);
  const found = findRoute(location.path);
  const { page: Page, error: pageError, retry } = usePage(found?.route ?? null);
  const elsewhere = instead(found?.route ?? null, session, location.path + location.search);

  const ask = () => {
    setError(null);
    (firstSession ?? loadSession()).catch((why: unknown) => setError(asApiError(why)));
    firstSession = null;
  };
  useEffect(ask, []);
  useEffect(() => {
    if (elsewhere) navigate(elsewhere, { replace: true });
  }, [elsewhere]);

  let content;
  if (!found) content = <NotFoundPage />;
  else if (error) content = <ErrorState what="weir does not answer" message={error.message} onRetry={ask} />;
  else if (pageError) content = <ErrorState what="This page could not be loaded" message={pageError.message} onRetry={retry} />;
  else if (!session || !Page || elsewhere) content = <Skeleton lines={6} height={2} label="Loading the page" />;
  else content = <Page key={location.path} parts={found.parts} />;
  return (
    <>
      <Frame bare={found?.route.bare ?? false} project={found?.parts.name ?? null}>
        {content}
      </Frame>
      <Toasts />
    </>
  );
}
