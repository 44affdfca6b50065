import type { Answer } from "../api/query";
import { moment } from "../format/dates";
import { percent } from "../format/numbers";
import { useCounting } from "../state/useQuery";

const LATE_MS = 120_000;

// What an answer covers, in a line: up to when, what was left out as not human, whether it is exact.
export function coverageWords(answer: Answer): string[] {
  const { coverage, complete_to, exact, error_bound, sampled } = answer.meta;
  const words: string[] = [];
  if (complete_to) words.push(`complete to ${moment(complete_to)}`);
  const all = Object.values(coverage ?? {}).reduce((sum, events) => sum + events, 0);
  const people = coverage?.human ?? 0;
  if (all > 0) words.push(`${percent(((all - people) / all) * 100)} of events come from bots and other programs`);
  if (sampled) words.push(`estimated from one in ${Math.round(1 / sampled)} visitors`);
  else words.push(exact === false ? `estimated, within ${percent((error_bound ?? 0) * 100)}` : "exact");
  return words;
}

// While estimates are shown (≈), and the exact numbers on their way.
export function Counting() {
  return (
    <p class="notice notice-counting" role="status">
      {useCounting() ? "Estimates (≈) from some of the visitors; the exact numbers are being counted" : null}
    </p>
  );
}

export function Coverage({ answer, now }: { answer: Answer | null; now: number }) {
  if (!answer) return <p class="coverage">{"\u00a0"}</p>; // its room is held free, so that nothing below jumps
  const { complete_to, warnings } = answer.meta;
  const late = complete_to ? now - Date.parse(complete_to) > LATE_MS : false;
  return (
    <>
      {late ? (
        <p class="notice" role="status">
          Events after {moment(complete_to!)} are still being loaded; the newest numbers will grow.
        </p>
      ) : null}
      {(warnings ?? []).map((warning) => (
        <p key={warning} class="notice">
          {warning}
        </p>
      ))}
      <p class="coverage">{coverageWords(answer).join(" · ")}</p>
    </>
  );
}
