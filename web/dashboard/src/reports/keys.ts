import type { Period } from "../state/periods";
import { PRESETS } from "../state/periods";

// What a key does on a project page. Keys of text fields, and those with Ctrl, Alt or Cmd, are left alone.
export type KeyAction =
  | { kind: "period"; period: (today: string) => Period }
  | { kind: "step"; by: -1 | 1 }
  | { kind: "project"; index: number }
  | { kind: "custom" | "compare" | "interval" | "search" | "clear" | "help" | "palette" };

export function actionOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): KeyAction | null {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (key === "K" && (event.ctrlKey || event.metaKey) && !event.altKey) return { kind: "palette" };
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (key === "?") return { kind: "help" };
  if (key === "/") return { kind: "search" };
  if (event.shiftKey) return null;
  if (key === "Escape") return { kind: "clear" };
  if (key === "ArrowLeft") return { kind: "step", by: -1 };
  if (key === "ArrowRight") return { kind: "step", by: 1 };
  if (/^[1-9]$/.test(key)) return { kind: "project", index: Number(key) - 1 };
  if (key === "C") return { kind: "custom" };
  if (key === "X") return { kind: "compare" };
  if (key === "I") return { kind: "interval" };
  const preset = PRESETS.find((each) => each?.key === key);
  return preset ? { kind: "period", period: preset.period } : null;
}

// Whether the key belongs to what has the focus: somebody writes, chooses in a list, or a dialog is open.
export function isTaken(event: KeyboardEvent, action: KeyAction): boolean {
  if (event.defaultPrevented) return true;
  const target = event.target as HTMLElement | null;
  if (target?.closest("dialog[open]") && action.kind !== "palette") return true;
  const writes = target?.closest("input, textarea, select, [contenteditable]");
  if (writes && action.kind !== "palette") return true;
  // Arrows scroll what can be scrolled.
  if (action.kind === "step" && target?.closest("[role=tablist], [role=menu], .table-scroll, .week-scroll")) return true;
  return target?.closest("[role=menu]") !== null && target?.closest("[role=menu]") !== undefined;
}

export const KEY_HELP: readonly { keys: string; does: string }[] = [
  ...PRESETS.filter((preset) => preset !== null).map((preset) => ({ keys: preset.key, does: preset.title })),
  { keys: "C", does: "Custom range" },
  { keys: "← →", does: "The period before, the period after" },
  { keys: "X", does: "Compare, or do not" },
  { keys: "I", does: "Choose the graph's interval" },
  { keys: "/", does: "Add a filter; search within a detail view" },
  { keys: "Esc", does: "Close what is open, then clear the filters" },
  { keys: "1 – 9", does: "Go to the first to ninth project" },
  { keys: "Ctrl K", does: "All commands (⌘ K on a Mac)" },
  { keys: "?", does: "This list" },
];
