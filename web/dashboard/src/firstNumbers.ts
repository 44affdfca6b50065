import { NUMBERS_ID, firstQuestions, whenAnswered, type FirstQuestion } from "./api/firstAnswers";
import type { Answer, Query, ResultRow } from "./api/query";
import { QUERY_PATH } from "./api/types";
import { change, plain, write, writeOf } from "./state/metrics";

// Stands in the page of a project itself, before its styles, for which the browser would have it wait: it writes the numbers at the
// page's top once their answer is there, before the rest of the page's script is. What they look like comes with the page, as
// reports/TopNumbers.tsx draws them, which takes them over later.

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

const isNumbers = (each: FirstQuestion | null) => each?.path === QUERY_PATH;
void whenAnswered(() => firstQuestions().findIndex(isNumbers)).then((answer) => {
  const looks = document.getElementById(NUMBERS_ID) as HTMLTemplateElement | null;
  const question = firstQuestions().find(isNumbers);
  if (!looks || !question || !answer) return; // drawn already; to be asked for again
  const numbers = looks.content;
  const { metrics } = question.body as Query;
  metrics.forEach((metric, at) => fill(numbers.firstElementChild!.children[at]!, metric, (answer as Answer).results[0], at));
  document.querySelector(".top-numbers")?.replaceWith(numbers);
  looks.remove();
  document.dispatchEvent(new Event(NUMBERS_ID)); // main.ts waits for it
});
