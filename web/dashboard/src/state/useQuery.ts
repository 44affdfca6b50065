import { useEffect, useRef, useState } from "preact/hooks";
import { asApiError } from "../api/client";
import { knownAnswer } from "../api/firstAnswers";
import { ask, askingFirst, type Answer, type Query } from "../api/query";
import { QUERY_PATH } from "../api/types";
import { useLoad, type Loaded } from "./useLoad";

// Answers of the last minute are shown again without asking: Back, and tabs that were open before, are there at once.
const FRESH_MS = 60_000;
const KEPT = 60;
const kept = new Map<string, { at: number; answer: Answer }>();

// What takes long is estimated first (meta.sampled), and counted when no part of the page waits for its first answer any
// more: none is to wait behind that.
let unanswered = 0;
let waiting: (() => void)[] = [];
const whenAllHaveSome = () => (unanswered === 0 ? Promise.resolve() : new Promise<void>((go) => waiting.push(go)));

async function askFirst(query: Query, signal: AbortSignal): Promise<Answer> {
  ++unanswered;
  try {
    return await ask(askingFirst(query), signal);
  } finally {
    if (--unanswered === 0) {
      const all = waiting;
      waiting = [];
      for (const go of all) go();
    }
  }
}

let counting = 0;
const watchers = new Set<(counting: boolean) => void>();
function count(change: 1 | -1): void {
  counting += change;
  for (const tell of watchers) tell(counting > 0);
}

// Whether numbers that are shown are estimates, and the exact ones on their way.
export function useCounting(): boolean {
  const [now, setNow] = useState(counting > 0);
  useEffect(() => {
    watchers.add(setNow);
    setNow(counting > 0);
    return () => void watchers.delete(setNow);
  }, []);
  return now;
}

async function askExactly(query: Query, estimate: Answer, signal: AbortSignal): Promise<Answer> {
  count(1);
  try {
    await whenAllHaveSome();
    return await ask(query, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const warning = `Only estimates could be had: ${asApiError(error).message}`;
    return { ...estimate, meta: { ...estimate.meta, warnings: [...(estimate.meta.warnings ?? []), warning] } };
  } finally {
    count(-1);
  }
}

function freshOf(key: string): Answer | null {
  const known = kept.get(key);
  return known && Date.now() - known.at < FRESH_MS ? known.answer : null;
}

// What can be shown without asking.
const knownOf = (key: string, query: Query): Answer | null =>
  freshOf(key) ?? (knownAnswer("POST", QUERY_PATH, askingFirst(query)) as Answer | null);

// `show`: takes an estimate; null: what is shown is better than one.
async function askOnce(key: string, query: Query, signal: AbortSignal, show: ((early: Answer) => void) | null): Promise<Answer> {
  const fresh = freshOf(key);
  if (fresh) return fresh;
  let answer = show ? await askFirst(query, signal) : await ask(query, signal);
  if (show && answer.meta.sampled) {
    show(answer);
    answer = await askExactly(query, answer, signal);
    if (answer.meta.sampled) return answer;
  }
  keep(key, answer);
  return answer;
}

function keep(key: string, answer: Answer): void {
  kept.delete(key);
  kept.set(key, { at: Date.now(), answer });
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
  }
}

const keyOf = (query: Query, round: number) => `${JSON.stringify(query)} ${round}`;
// As if the page had asked this and got that.
export const keepAnswer = (query: Query, answer: Answer) => keep(keyOf(query, 0), answer);
export const forgetAnswers = () => kept.clear();

// null: nothing to ask yet. `round` asks the same anew (a page that refreshes itself). `first`: before other parts' questions.
export function useQuery(query: Query | null, round = 0, first = false): Loaded<Answer> {
  const key = query ? keyOf(query, round) : null;
  const question = query ? keyOf(query, 0) : null;
  const shown = useRef<string | null>(null); // in whichever round
  const load = async (signal: AbortSignal, show: (early: Answer) => void) => {
    const answer = await askOnce(key!, query!, signal, shown.current === question ? null : show);
    shown.current = question;
    return answer;
  };
  const known = () => (query ? knownOf(key!, query) : null);
  return useLoad(key, load, { keep: true, first, known });
}

// Counts up by the clock while the page is seen: what is open all day does not grow old. 0 seconds: never.
export function useRound(seconds: number): number {
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (seconds === 0) return;
    const timer = setInterval(() => {
      if (!document.hidden) setRound((n) => n + 1);
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return round;
}
