import type { Filter, FilterLeaf } from "../api/types";
import { dimensionName, showValue } from "./dimensions";

// Filters as the address has them: "is,visit:country,DE,FR" — operator, dimension, values; commas within a value are
// escaped. Groups and behaviour, which no such line holds, stand as JSON.

export const OPERATORS: Record<string, string> = {
  is: "is",
  is_not: "is not",
  contains: "contains",
  contains_not: "does not contain",
  matches: "matches expression",
  matches_not: "does not match expression",
  matches_wildcard: "matches pattern",
  matches_wildcard_not: "does not match pattern",
  greater: "is greater than",
  greater_or_equal: "is at least",
  less: "is less than",
  less_or_equal: "is at most",
};
export const BEHAVIOUR = { has_done: "has done", has_not_done: "has not done" } as const;
const NUMERIC = ["greater", "greater_or_equal", "less", "less_or_equal"];

// What may be asked of a dimension.
export function operatorsFor(dimension: string): string[] {
  if (dimension === "event:revenue") return NUMERIC;
  if (dimension === "segment") return ["is"];
  if (dimension === "event:goal") return ["is", "is_not", "contains", "contains_not"];
  const text = Object.keys(OPERATORS).filter((operator) => !NUMERIC.includes(operator));
  return dimension.startsWith("event:props:") ? [...text, ...NUMERIC] : text;
}

export const isLeaf = (filter: Filter): filter is FilterLeaf => Array.isArray(filter[2]);
const isGroup = (filter: Filter): filter is ["and" | "or", Filter[]] => filter[0] === "and" || filter[0] === "or";

const escape = (text: string) => text.replace(/[%,]/g, (c) => (c === "%" ? "%25" : "%2C"));
const unescape = (text: string) => text.replace(/%2C/gi, ",").replace(/%25/g, "%");

export function toText(filter: Filter): string {
  if (!isLeaf(filter) || filter[3]) return `json:${JSON.stringify(filter)}`;
  const [operator, dimension, values] = filter;
  if (values.some((value) => typeof value === "number") && !NUMERIC.includes(operator)) return `json:${JSON.stringify(filter)}`;
  return [operator, dimension, ...values.map(String)].map(escape).join(",");
}

const DEPTH_MAX = 8;
function wellFormed(value: unknown, depth = 0): value is Filter {
  if (!Array.isArray(value) || depth > DEPTH_MAX) return false;
  const [operator, second, third] = value as unknown[];
  if (operator === "and" || operator === "or")
    return Array.isArray(second) && second.length > 0 && second.every((each) => wellFormed(each, depth + 1));
  if (operator === "not" || operator === "has_done" || operator === "has_not_done") return wellFormed(second, depth + 1);
  return (
    typeof operator === "string" &&
    operator in OPERATORS &&
    typeof second === "string" &&
    Array.isArray(third) &&
    third.length > 0 &&
    third.every((each) => typeof each === "string" || typeof each === "number")
  );
}

// null: not a filter (an address somebody typed).
export function fromText(text: string): Filter | null {
  if (text.startsWith("json:")) {
    try {
      const value: unknown = JSON.parse(text.slice(5));
      return wellFormed(value) ? value : null;
    } catch {
      return null;
    }
  }
  const [operator = "", dimension = "", ...values] = text.split(",").map(unescape);
  const typed = NUMERIC.includes(operator) ? values.map(Number) : values;
  if (typed.some((value) => typeof value === "number" && !Number.isFinite(value))) return null;
  const filter: unknown = [operator, dimension, typed];
  return wellFormed(filter) && dimension !== "" ? filter : null;
}

export interface Names {
  segment: (id: string) => string;
}

// In words, for chips and for those who hear the page.
export function inWords(filter: Filter, names: Names): string {
  if (isLeaf(filter)) {
    const [operator, dimension, values] = filter;
    const shown = values.map((value) => (dimension === "segment" ? names.segment(String(value)) : showValue(dimension, value)));
    return `${dimensionName(dimension)} ${OPERATORS[operator] ?? operator} ${shown.join(" or ")}`;
  }
  if (isGroup(filter)) return `(${filter[1].map((each) => inWords(each, names)).join(` ${filter[0]} `)})`;
  if (filter[0] === "not") return `not (${inWords(filter[1], names)})`;
  return `${BEHAVIOUR[filter[0]]}: ${inWords(filter[1], names)}`;
}

// The dimension that a chip stands for, so that editing opens the right form; null: none (a group).
export function dimensionOf(filter: Filter): string | null {
  if (isLeaf(filter)) return filter[1];
  return isGroup(filter) || filter[0] === "not" ? null : dimensionOf(filter[1]);
}

export const sameFilter = (a: Filter, b: Filter) => JSON.stringify(a) === JSON.stringify(b);

// A click on a row: the row's value is asked for, or no longer when it was already the only one.
export function toggleValue(filters: readonly Filter[], dimension: string, value: string | number): Filter[] {
  const wanted: Filter = ["is", dimension, [value]];
  if (filters.some((filter) => sameFilter(filter, wanted))) return filters.filter((filter) => !sameFilter(filter, wanted));
  const others = filters.filter((filter) => !(isLeaf(filter) && filter[0] === "is" && filter[1] === dimension));
  return [...others, wanted];
}

export const goalOf = (filters: readonly Filter[]): boolean =>
  filters.some((filter) => isLeaf(filter) && filter[1] === "event:goal" && (filter[0] === "is" || filter[0] === "contains"));
export const usesDimension = (filters: readonly Filter[], dimension: string): boolean =>
  filters.some((filter) => (isLeaf(filter) ? filter[1] === dimension : JSON.stringify(filter).includes(`"${dimension}"`)));
