import { useState } from "preact/hooks";
import type { LiveRow, RowFilter } from "../../api/live";
import { countryName } from "../../format/places";
import { number } from "../../format/numbers";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { COLUMNS, describe, FILTERS_MAX, OPERATORS } from "./tailFilters";
import { TrafficBadge } from "./TrafficBadge";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
export const momentOf = (text: string): Date => new Date(`${text.replace(" ", "T")}Z`);

// Who did it, as far as is known: place, program, way.
export function whoOf(row: LiveRow): string {
  const place = [row.city, countryName(row.country)].filter(Boolean).join(", ");
  const program = [row.browser, row.os].filter(Boolean).join(" on ");
  const way = row.visit_seq === 0 ? `new visit${row.source ? ` from ${row.source}` : ""}` : "";
  return [place, program, way].filter(Boolean).join(" · ") || "nothing known of who";
}

function FilterForm({ onAdd }: { onAdd: (filter: RowFilter) => void }) {
  const [column, setColumn] = useState<string>("name");
  const [property, setProperty] = useState("");
  const [operator, setOperator] = useState<string>("is");
  const [value, setValue] = useState("");
  const ofProperty = column === "properties.";
  return (
    <form
      class="tail-filters"
      aria-label="Filter the events"
      onSubmit={(event) => {
        event.preventDefault();
        if (ofProperty && !property.trim()) return;
        onAdd([operator, ofProperty ? `properties.${property.trim()}` : column, [value]]);
        setValue("");
      }}
    >
      <select class="input" aria-label="What to filter by" value={column} onChange={(event) => setColumn(event.currentTarget.value)}>
        {COLUMNS.map((each) => (
          <option key={each.value} value={each.value}>
            {each.label}
          </option>
        ))}
      </select>
      {ofProperty ? (
        <input class="input" aria-label="Property" placeholder="property" value={property} onInput={(event) => setProperty(event.currentTarget.value)} />
      ) : null}
      <select class="input" aria-label="How to compare" value={operator} onChange={(event) => setOperator(event.currentTarget.value)}>
        {OPERATORS.map((each) => (
          <option key={each.value} value={each.value}>
            {each.label}
          </option>
        ))}
      </select>
      <input class="input" aria-label="Value" placeholder="value" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
      <Button small type="submit">
        Add filter
      </Button>
    </form>
  );
}

export function EventTail({
  rows,
  skipped,
  paused,
  filters,
  onPause,
  onClear,
  onFilters,
  onPick,
}: {
  rows: readonly LiveRow[];
  skipped: number;
  paused: boolean;
  filters: readonly RowFilter[];
  onPause: (paused: boolean) => void;
  onClear: () => void;
  onFilters: (filters: RowFilter[]) => void;
  onPick: (row: LiveRow) => void;
}) {
  return (
    <section class="card live-panel" aria-label="Events">
      <div class="live-panel-head">
        <h2>Events</h2>
        {skipped > 0 ? <span class="badge">{number(skipped)} not shown</span> : null}
        <Button small aria-pressed={paused} onClick={() => onPause(!paused)}>
          {paused ? "Go on" : "Pause"}
        </Button>
        <Button small look="plain" disabled={rows.length === 0} onClick={onClear}>
          Clear
        </Button>
      </div>
      {filters.length < FILTERS_MAX ? <FilterForm onAdd={(filter) => onFilters([...filters, filter])} /> : null}
      {filters.length > 0 ? (
        <ul class="chips" aria-label="Filters">
          {filters.map((filter, index) => (
            <li key={JSON.stringify(filter)} class="chip">
              {describe(filter)}
              <Button
                small
                icon
                look="plain"
                aria-label={`Remove the filter: ${describe(filter)}`}
                onClick={(event) => {
                  // The button goes with its chip.
                  event.currentTarget.closest("section")?.querySelector<HTMLElement>("form input")?.focus();
                  onFilters(filters.filter((_, other) => other !== index));
                }}
              >
                <Icon name="cross" size={12} />
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
      {rows.length === 0 ? (
        <p class="state">{paused ? "Paused." : "Waiting for events. They stand here a second after they come, the newest first."}</p>
      ) : (
        <ul class="tail">
          {rows.map((row) => (
            <li key={row.event_id}>
              <button type="button" class="tail-row" onClick={() => onPick(row)}>
                <time class="tail-time numbers" dateTime={momentOf(row.timestamp).toISOString()}>
                  {clock.format(momentOf(row.timestamp))}
                </time>
                <span class="tail-what">
                  <strong>{row.name}</strong> {row.path}
                </span>
                <TrafficBadge traffic={row.traffic} />
                <span class="tail-who">{whoOf(row)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
