import { NUMBERS_ID, firstQuestions, whenAnswered } from "./api/firstAnswers";
import type { Answer, Query, ResultRow } from "./api/query";
import { QUERY_PATH } from "./api/types";
import { change, plain, write, writeOf } from "./state/metrics";

// Stands in the page of a project itself, and writes the numbers at its top once their answer is there, before the rest of the
// page's script is. What they look like came with the page, as reports/TopNumbers.tsx draws them, which takes them over later.

function fill(item: Element, metric: string, row: ResultRow | undefined, index: number): void {
  const find = (selector: string) => item.querySelector<HTMLElement>(selector)!;
  const long = writeOf(row, index, metric, "long");
  find(".top-value").textContent = writeOf(row, index, metric);
  find(".top-value").title = long;
  find(".top-link > .sr-only").textContent = `${long}, show in the graph`;
  const foot = item.querySelector<HTMLElement>(".top-foot");
  const before = row?.comparison?.metrics[index];
  if (!foot) return;
  if (before === undefined) return foot.remove();
  foot.title = `before: ${write(metric, before, "long")}`;
  const shown = plain(row?.metrics[index]) === null ? null : change(metric, row?.comparison?.change[index]);
  const words = find(".change");
  if (!shown) return words.remove();
  words.className = shown.look;
  words.children[0]!.textContent = shown.arrow;
  words.children[1]!.textContent = shown.spoken;
  words.lastChild!.textContent = ` ${shown.text}`;
}

const index = firstQuestions().findIndex((each) => each?.path === QUERY_PATH);
const metrics = (firstQuestions()[index]!.body as Query).metrics;
void whenAnswered(index).then((answer) => {
  const looks = document.getElementById(NUMBERS_ID) as HTMLTemplateElement | null;
  if (!looks || !answer) return; // drawn already; to be asked for again
  const numbers = looks.content;
  metrics.forEach((metric, at) => fill(numbers.firstElementChild!.children[at]!, metric, (answer as Answer).results[0], at));
  document.querySelector(".top-numbers")?.replaceWith(numbers);
  looks.remove();
  document.dispatchEvent(new Event(NUMBERS_ID)); // main.ts waits for it
});
