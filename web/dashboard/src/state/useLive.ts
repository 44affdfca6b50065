import { useEffect, useRef, useState } from "preact/hooks";
import { asApiError, isAbort, type ApiError } from "../api/client";
import { readStream } from "../api/eventStream";
import type { LiveNow, LiveRow, RowFilter } from "../api/live";

export interface Live {
  now: LiveNow | null;
  stale: boolean; // the server could not count; `now` is what it said last
  connected: boolean;
  error: ApiError | null; // why the stream is away; it is tried again where that may help
}

const AGAIN_MS = [1000, 2000, 5000, 10_000, 30_000];

// What happens in the project, while the page is seen: a hidden one lets its connection go, of which browsers give few.
// `filter`: null: counts only.
export function useLive(project: string, filter: readonly RowFilter[] | null, onRow: (row: LiveRow) => void, onSkipped: (rows: number) => void): Live {
  const [live, setLive] = useState<Live>({ now: null, stale: false, connected: false, error: null });
  const handlers = useRef({ onRow, onSkipped });
  handlers.current = { onRow, onSkipped };
  const wanted = filter === null ? "" : JSON.stringify(filter);
  useEffect(() => {
    setLive((before) => ({ ...before, connected: false, error: null }));
    let controller: AbortController | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;

    const listen = async (signal: AbortSignal) => {
      const query: Record<string, string> = wanted === "" ? { project } : { project, rows: "yes", filter: wanted };
      try {
        await readStream("/api/v1/live", query, signal, ({ name, data }) => {
          failures = 0;
          if (name === "now") setLive({ now: JSON.parse(data) as LiveNow, stale: false, connected: true, error: null });
          else if (name === "trouble") setLive((before) => ({ ...before, stale: true, connected: true, error: null }));
          else if (name === "row") handlers.current.onRow(JSON.parse(data) as LiveRow);
          else if (name === "skipped") handlers.current.onSkipped((JSON.parse(data) as { rows: number }).rows);
        });
        if (!signal.aborted) timer = setTimeout(start, AGAIN_MS[0]);
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        const why = asApiError(error);
        setLive((before) => ({ ...before, connected: false, error: why }));
        if (why.passing) timer = setTimeout(start, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]);
      }
    };
    const stop = () => {
      clearTimeout(timer);
      controller?.abort();
      controller = null;
    };
    const start = () => {
      stop();
      if (document.hidden) return;
      controller = new AbortController();
      void listen(controller.signal);
    };
    document.addEventListener("visibilitychange", start);
    start();
    return () => {
      document.removeEventListener("visibilitychange", start);
      stop();
    };
  }, [project, wanted]);
  return live;
}
