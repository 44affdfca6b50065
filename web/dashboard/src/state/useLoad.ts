import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, asApiError, isAbort } from "../api/client";

export interface Loaded<T> {
  data: T | null; // of the last answer; kept while the next is under way, so that nothing jumps
  error: ApiError | null;
  loading: boolean;
  retry: () => void;
}

export interface LoadOptions<T> {
  keep?: boolean; // what is shown stays while a new key loads; else it is taken away at once
  first?: boolean; // asks before the other parts that are drawn with it; never changes
  known?: () => T | null; // what can be drawn the first time, while `load` makes sure of it
}

// Loads when `key` changes (null: nothing to load), cancelling what is under way. The same key with the same answer draws
// nothing anew. `load` may show something before it is done.
export function useLoad<T>(key: string | null, load: (signal: AbortSignal, show: (early: T) => void) => Promise<T>, options: LoadOptions<T> = {}): Loaded<T> {
  const { keep = true, first = false, known } = options;
  const [state, setState] = useState<{ key: string | null; data: T | null; error: ApiError | null; loading: boolean }>(() => {
    const data = known?.() ?? null;
    return { key: data === null ? null : key, data, error: null, loading: key !== null };
  });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const useWhen = first ? useLayoutEffect : useEffect;
  useWhen(() => {
    if (key === null) return;
    const controller = new AbortController();
    setState((before) => {
      const data = keep || before.key === key ? before.data : null;
      return before.loading && before.data === data && !before.error ? before : { ...before, data, error: null, loading: true };
    });
    const show = (early: T) => {
      if (!controller.signal.aborted) setState({ key, data: early, error: null, loading: true });
    };
    latest.current(controller.signal, show).then(
      (data) => {
        if (!controller.signal.aborted) setState({ key, data, error: null, loading: false });
      },
      (error: unknown) => {
        if (controller.signal.aborted || isAbort(error)) return;
        setState({ key, data: null, error: asApiError(error), loading: false });
      },
    );
    return () => controller.abort();
  }, [key, round, keep]);
  const retry = useCallback(() => setRound((n) => n + 1), []);
  return { data: state.data, error: state.error, loading: state.loading, retry };
}
