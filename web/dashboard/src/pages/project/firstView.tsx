import { renderToString } from "preact-render-to-string";
import { askingFirst, type Query } from "../../api/query";
import type { FirstQuestion } from "../../api/firstAnswers";
import { QUERY_PATH, type Role } from "../../api/types";
import { withQuery } from "../../api/client";
import { graphQuestion, topQuestions } from "../../reports/topQuestions";
import { DEFAULT_PERIOD, formatState, parseState, type DashboardState } from "../../state/dashboard";
import { itemRequests } from "../../state/items";
import { PRESETS, intervals } from "../../state/periods";
import { locationStore, projectPath } from "../../state/router";
import { setSession } from "../../state/session";
import { forgetAnswers, keepAnswer } from "../../state/useQuery";
import { App, loadPageAt } from "../App";

// Drawn while the program is built, never in a browser: what a project's page shows before its script has run, which weir
// serves with the page.
export { NUMBERS_ID, QUESTIONS_ID } from "../../api/firstAnswers";

// In place of a project's name and time zone, of characters that are the same in an address, in JSON and in HTML, as those
// of names are.
export const PROJECT = "__PROJECT__";
export const TIME_ZONE = "__TIME_ZONE__";

export interface FirstView {
  query: string; // of the address, without its '?'
  role: Role; // the lowest that sees the page so
  markup: string;
  numbers: string; // how its numbers look, with numbers that are none
  questions: FirstQuestion[]; // what the page asks first
}

const NO_DAY = "2000-01-01"; // of which nothing here depends

function questionsOf(state: DashboardState): FirstQuestion[] {
  const get = (path: string) => ({ method: "GET", path, body: null });
  const ask = (query: Query) => ({ method: "POST", path: QUERY_PATH, body: askingFirst(query) });
  const { numbers, covered } = topQuestions(PROJECT, state, NO_DAY);
  const graph = graphQuestion(PROJECT, state, NO_DAY, state.metric, intervals(state.period, NO_DAY).usual);
  // How wide the graph's steps are over "all time" follows from the numbers' answer. The slow numbers would keep the others waiting.
  const queries = state.period.name === "all" ? [numbers, covered] : [numbers, graph, covered];
  return [get("/api/v1/session"), ...itemRequests(PROJECT).map(({ path, query }) => get(withQuery(path, query))), ...queries.map(ask)];
}

// The numbers at the top once they are known, in the shape in which src/firstNumbers.ts expects them.
function numbersOf(state: DashboardState): string {
  const { numbers } = topQuestions(PROJECT, state, NO_DAY);
  const some = numbers.metrics.map(() => 1);
  const comparison = numbers.include?.comparisons ? { metrics: some, change: some } : undefined;
  keepAnswer(numbers, { results: [{ dimensions: [], metrics: some, comparison }], meta: {}, query: { date_range: [NO_DAY, NO_DAY] } });
  const found = /<ul class="top-numbers".*?<\/ul>/.exec(renderToString(<App />));
  forgetAnswers();
  if (!found) throw new Error("the first view has no place for its numbers");
  return found[0];
}

// Those of the usual period and of each that the menu offers and that is called the same every day.
export async function firstViews(): Promise<FirstView[]> {
  const path = projectPath(PROJECT);
  await loadPageAt(path);
  const usual = parseState("");
  const presets = PRESETS.flatMap((preset) => (preset ? [preset.period(NO_DAY)] : [])).filter((period) => !period.date);
  const periods = [DEFAULT_PERIOD, ...presets.filter((period) => period.name !== DEFAULT_PERIOD.name)];
  return (["viewer", "editor"] as const).flatMap((role) =>
    periods.map((period): FirstView => {
      const state = { ...usual, period };
      const search = formatState(state);
      locationStore.set({ path, search, hash: "" });
      setSession({
        user: { id: "", email: "", name: "", role: null, second_factor: false, second_factor_required: false },
        share: null,
        csrf: "",
        setup_needed: false,
        projects: [{ id: "", name: PROJECT, time_zone: TIME_ZONE, clock: { offset: 0, until: null }, role }],
        version: "",
      });
      return { query: search.slice(1), role, markup: renderToString(<App />), numbers: numbersOf(state), questions: questionsOf(state) };
    }),
  );
}
