// What a page asks first, weir may have asked already while it sent the page: the questions stand in the page, and their answers
// come at its end, one by one, as soon as they are known.

export interface FirstQuestion {
  method: string;
  path: string;
  body: unknown; // null: none
}

export const QUESTIONS_ID = "first-questions";
export const NUMBERS_ID = "first-numbers"; // see src/firstNumbers.ts
// Whoever comes back to a page that was put aside wants today's answers.
const FRESH_MS = 30_000;

let open: (FirstQuestion | null)[] | null = null; // null: not read yet

// In the order in which their answers come; null: somebody took it. None where the page came without, or has not come that far.
export function firstQuestions(): (FirstQuestion | null)[] {
  if (typeof document === "undefined") return [];
  if (open === null) {
    const written = document.getElementById(QUESTIONS_ID)?.textContent;
    if (!written) return [];
    open = JSON.parse(written) as FirstQuestion[];
  } else if (open.length > 0 && performance.now() > FRESH_MS) open = [];
  return open;
}

function find(method: string, path: string, body: unknown): number {
  const questions = firstQuestions();
  if (questions.length === 0) return -1;
  const text = JSON.stringify(body ?? null);
  return questions.findIndex((each) => each?.method === method && each.path === path && JSON.stringify(each.body) === text);
}

// undefined: it is still to come; null: there is none, it is to be asked for.
function arrived(index: number): unknown {
  const whole = document.readyState !== "loading";
  const element = document.getElementById(`answer-${index}`);
  if (!element) return whole ? null : undefined;
  return whole || element.nextSibling ? JSON.parse(element.textContent) : undefined;
}

// The answer that comes to the question whose index this finds, once the questions are there; null: there is none.
export function whenAnswered(find: () => number): Promise<unknown> {
  return new Promise((resolve) => {
    const look = () => {
      const index = find();
      const answer = index < 0 && document.readyState === "loading" ? undefined : arrived(index);
      if (answer === undefined) return;
      observer.disconnect();
      document.removeEventListener("DOMContentLoaded", look);
      resolve(answer);
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { childList: true, subtree: true });
    document.addEventListener("DOMContentLoaded", look);
    look();
  });
}

// The answer to this request, if it came with the page and nobody took it.
export function knownAnswer(method: string, path: string, body: unknown): unknown {
  const index = find(method, path, body);
  return index < 0 ? null : (arrived(index) ?? null);
}

// The same, once it is there, and for the last time: null: ask for it. Nothing: it does not come with the page.
export function takeFirstAnswer(method: string, path: string, body: unknown): Promise<unknown> | null {
  const index = find(method, path, body);
  if (index < 0) return null;
  firstQuestions()[index] = null;
  return whenAnswered(() => index);
}
