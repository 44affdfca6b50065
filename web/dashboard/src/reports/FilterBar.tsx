import type { Filter } from "../api/types";
import { inWords, isLeaf, sameFilter } from "../state/filters";
import type { DashboardState } from "../state/dashboard";
import { useProject } from "../state/project";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu, type MenuEntry } from "../ui/Menu";

const TRAFFIC: Record<string, string> = {
  all: "All traffic",
  bot: "Bots",
  ai_crawler: "AI crawlers",
  monitor: "Monitors",
  spam: "Spam",
  internal: "Internal traffic",
};

// The filters in force as chips; each can be changed or taken away.
export function FilterChips({ onEdit }: { onEdit: (filter: Filter) => void }) {
  const { state, segmentName, go } = useProject();
  // The button goes with its chip, and the keyboard goes on from the menu that makes chips.
  const without = (change: Partial<DashboardState>) => {
    document.querySelector<HTMLElement>("#filter-menu button")?.focus();
    go(change);
  };
  if (state.filters.length === 0 && !state.traffic) return null;
  return (
    <ul class="chips" aria-label="Filters">
      {state.traffic ? (
        <li class="chip">
          <span class="chip-text">{TRAFFIC[state.traffic]}</span>
          <button type="button" class="chip-off" aria-label={`Take away: ${TRAFFIC[state.traffic]}`} onClick={() => without({ traffic: null })}>
            <Icon name="cross" size={12} />
          </button>
        </li>
      ) : null}
      {state.filters.map((filter) => {
        const words = inWords(filter, { segment: segmentName });
        return (
          <li key={JSON.stringify(filter)} class="chip">
            <button type="button" class="chip-text" title={words} aria-label={`Change: ${words}`} onClick={() => onEdit(filter)}>
              {words}
            </button>
            <button
              type="button"
              class="chip-off"
              aria-label={`Take away: ${words}`}
              onClick={() => without({ filters: state.filters.filter((each) => !sameFilter(each, filter)) })}
            >
              <Icon name="cross" size={12} />
            </button>
          </li>
        );
      })}
      {state.filters.length > 1 ? (
        <li>
          <Button look="plain" small aria-keyshortcuts="Escape" onClick={() => without({ filters: [] })}>
            Clear all
          </Button>
        </li>
      ) : null}
    </ul>
  );
}

// Adding a filter, and the saved segments.
export function FilterMenu({ onAdd, onSave }: { onAdd: () => void; onSave: () => void }) {
  const { state, items, shared, go } = useProject();
  const active = new Set(
    state.filters.flatMap((filter) => (isLeaf(filter) && filter[1] === "segment" ? filter[2].map(String) : [])),
  );
  const segments: MenuEntry[] = items.segments.map((segment) => ({
    key: segment.id,
    title: segment.name,
    hint: segment.owner ? "yours" : undefined,
    checked: active.has(segment.id),
    onPick: () => {
      const wanted: Filter = ["is", "segment", [segment.id]];
      go({
        filters: active.has(segment.id) ? state.filters.filter((each) => !sameFilter(each, wanted)) : [...state.filters, wanted],
      });
    },
  }));
  const entries: MenuEntry[] = [
    { key: "add", title: "Add a filter…", hint: "/", onPick: onAdd },
    { kind: "rule" },
    { kind: "title", title: "Segments" },
    ...segments,
    ...(shared || state.filters.length === 0
      ? []
      : ([{ key: "save", title: "Save these filters as a segment…", onPick: onSave }] satisfies MenuEntry[])),
    ...(segments.length === 0 && state.filters.length === 0
      ? ([{ kind: "title", title: "Filter first, then save it here" }] satisfies MenuEntry[])
      : []),
    { kind: "rule" },
    { kind: "title", title: "Traffic" },
    { key: "human", title: "People", checked: state.traffic === null, onPick: () => go({ traffic: null }) },
    ...Object.entries(TRAFFIC).map(([key, title]) => ({ key, title, checked: state.traffic === key, onPick: () => go({ traffic: key }) })),
  ];
  return (
    <div id="filter-menu">
      <Menu
        start
        label=""
        title={
          <>
            <Icon name="filter" /> Filter
          </>
        }
        entries={entries}
      />
    </div>
  );
}
