import { useEffect, useState } from "preact/hooks";
import { ask, type Answer, type Query } from "../api/query";
import { useLoad, type Loaded } from "./useLoad";

// Answers of the last minute are shown again without asking: Back, and tabs that were open before, are there at once.
const FRESH_MS = 60_000;
const KEPT = 60;
const kept = new Map<string, { at: number; answer: Answer }>();

async function askOnce(key: string, query: Query, signal: AbortSignal): Promise<Answer> {
  const known = kept.get(key);
  if (known && Date.now() - known.at < FRESH_MS) return known.answer;
  const answer = await ask(query, signal);
  kept.delete(key);
  kept.set(key, { at: Date.now(), answer });
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
  }
  return answer;
}

export const forgetAnswers = () => kept.clear();

// null: nothing to ask yet. `round` asks the same anew (a page that refreshes itself). `first`: before other parts' questions.
export function useQuery(query: Query | null, round = 0, first = false): Loaded<Answer> {
  const key = query ? JSON.stringify(query) : null;
  return useLoad(key === null ? null : `${key} ${round}`, (signal) => askOnce(`${key} ${round}`, query!, signal), true, first);
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
