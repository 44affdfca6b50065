import type { RowFilter } from "../../api/live";

// Filters of the event tail, as they stand in the address and are sent to the server.

export const COLUMNS = [
  { value: "name", label: "Event" },
  { value: "path", label: "Page" },
  { value: "hostname", label: "Host" },
  { value: "traffic", label: "Traffic" },
  { value: "country", label: "Country code" },
  { value: "city", label: "City" },
  { value: "browser", label: "Browser" },
  { value: "os", label: "System" },
  { value: "device", label: "Device" },
  { value: "source", label: "Source" },
  { value: "channel", label: "Channel" },
  { value: "utm_campaign", label: "Campaign" },
  { value: "user_id", label: "User id" },
  { value: "visitor_id", label: "Visitor id" },
  { value: "event_id", label: "Event id" },
  { value: "app_version", label: "App version" },
  { value: "properties.", label: "Property…" },
] as const;

export const OPERATORS = [
  { value: "is", label: "is" },
  { value: "is_not", label: "is not" },
  { value: "contains", label: "contains" },
  { value: "contains_not", label: "does not contain" },
] as const;

export const FILTERS_MAX = 8;

const isFilter = (value: unknown): value is RowFilter =>
  Array.isArray(value) &&
  value.length === 3 &&
  OPERATORS.some((operator) => operator.value === value[0]) &&
  typeof value[1] === "string" &&
  (value[1].startsWith("properties.") || COLUMNS.some((column) => column.value === value[1])) &&
  Array.isArray(value[2]) &&
  value[2].length > 0 &&
  value[2].every((each) => typeof each === "string");

// What an address says, without what it must not say: anybody may write one.
export function parseFilters(text: string | null): RowFilter[] {
  if (!text) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.filter(isFilter).slice(0, FILTERS_MAX) : [];
  } catch {
    return [];
  }
}

export function describe([operator, column, values]: RowFilter): string {
  const named = COLUMNS.find((each) => each.value === column)?.label ?? column.replace("properties.", "Property ");
  return `${named} ${OPERATORS.find((each) => each.value === operator)?.label ?? operator} ${values.join(" or ")}`;
}
