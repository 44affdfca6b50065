import { useId, useMemo, useState } from "preact/hooks";
import type { Overlay } from "./overlay";
import { METRICS } from "../../state/metrics";
import { USUAL_COMPARISON } from "../../state/dashboard";
import { INTERVALS, PRESETS, intervals, mayCompare } from "../../state/periods";
import { useProject } from "../../state/project";
import { navigate, projectPath } from "../../state/router";
import { mayAs, useSession } from "../../state/session";
import { setTheme } from "../../state/theme";
import { Dialog } from "../../ui/Dialog";
import { PANELS } from "../panels";
import { matching, type Command } from "./palette";

function useCommands(metrics: readonly string[], onOpen: (overlay: Overlay) => void): Command[] {
  const view = useProject();
  const session = useSession();
  return useMemo(() => {
    const { state, today, project, items, shared, refresh, go } = view;
    const commands: Command[] = [];
    const add = (title: string, run: () => void, key = "") => commands.push({ title, key, run });
    for (const preset of PRESETS) if (preset) add(preset.title, () => go({ period: preset.period(today), interval: null }), preset.key);
    add("Ask everything anew", refresh);
    add("Custom range…", () => onOpen({ kind: "range" }), "C");
    if (mayCompare(state.period)) {
      add("Compare with the period before", () => go({ comparison: USUAL_COMPARISON }), "X");
      add("Compare with the year before", () => go({ comparison: { mode: "year", exactDates: false } }));
      add("Compare with a custom range…", () => onOpen({ kind: "comparison" }));
      if (state.comparison) add("Do not compare", () => go({ comparison: null }), "X");
    }
    add("Add a filter…", () => onOpen({ kind: "filter", filter: null }), "/");
    if (state.filters.length > 0) {
      add("Clear the filters", () => go({ filters: [], traffic: null }), "Esc");
      if (!shared) add("Save the filters as a segment…", () => onOpen({ kind: "segment" }));
    }
    for (const segment of items.segments) add(`Segment: ${segment.name}`, () => go({ filters: [["is", "segment", [segment.id]]] }));
    for (const metric of metrics) add(`Graph of ${METRICS[metric]?.title ?? metric}`, () => go({ metric }));
    for (const each of INTERVALS)
      if (intervals(state.period, today).all.includes(each)) add(`By ${each}`, () => go({ interval: each }));
    for (const panel of Object.values(PANELS))
      for (const tab of [...panel.tabs, ...(panel.more?.tabs ?? [])])
        if (!tab.map)
          add(`Details: ${tab.title}`, () => go({ detail: { dimension: tab.dimension, search: "", sort: "", page: 1, row: null } }));
    add("List of keys", () => onOpen({ kind: "help" }), "?");
    if (!shared) {
      if (mayAs(project, "editor")) add("Add a note to the graph…", () => onOpen({ kind: "annotate" }));
      add("Go to Live", () => navigate(projectPath(project.name, "/live")));
      if (mayAs(project, "editor")) add("Go to SQL", () => navigate(projectPath(project.name, "/sql")));
      add("Go to the project's settings", () => navigate(projectPath(project.name, "/settings/general")));
      add("Go to all projects", () => navigate("/ui/"));
      for (const [index, other] of (session?.projects ?? []).entries())
        if (other.name !== project.name) add(`Project: ${other.name}`, () => navigate(projectPath(other.name)), index < 9 ? String(index + 1) : "");
    }
    add("Light", () => setTheme("light"));
    add("Dark", () => setTheme("dark"));
    add("Light or dark as the system", () => setTheme("auto"));
    return commands;
  }, [view, session, metrics, onOpen]);
}

// Everything that can be done here, by typing some letters of it.
export function Palette({
  metrics,
  onClose,
  onOpen,
}: {
  metrics: readonly string[];
  onClose: () => void;
  onOpen: (overlay: Overlay) => void;
}) {
  const id = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const commands = useCommands(metrics, onOpen);
  const found = matching(commands, text);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length);
      setAt(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[at]);
    }
  };
  return (
    <Dialog title="Commands" onClose={onClose}>
      <input
        class="input"
        type="text"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
        placeholder="Type a command"
        value={text}
        autofocus
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul class="palette" id={`${id}-list`} role="listbox" aria-label="Commands">
        {found.map((command, index) => (
          <li
            key={command.title}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            class={index === at ? "palette-item palette-at" : "palette-item"}
            onMouseMove={() => setAt(index)}
            onClick={() => run(command)}
          >
            <span>{command.title}</span>
            {command.key ? <kbd>{command.key}</kbd> : null}
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p class="palette-none">No command has these letters.</p> : null}
    </Dialog>
  );
}
