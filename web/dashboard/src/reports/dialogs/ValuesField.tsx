import { useEffect, useId, useState } from "preact/hooks";
import { baseQuery } from "../../state/dashboard";
import { PROPERTY, showValue } from "../../state/dimensions";
import { usesDimension } from "../../state/filters";
import { write } from "../../state/metrics";
import { useProject } from "../../state/project";
import { useQuery } from "../../state/useQuery";
import { Icon } from "../../ui/Icon";
import { listFilters } from "../panels";

const PAUSE_MS = 200;
const SUGGESTIONS = 12;

// The text once nobody has typed for a moment.
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

interface Suggestion {
  value: string;
  shown: string;
  visitors: string;
}

// Values that there are, the most frequent first, under the page's other filters.
function useSuggestions(dimension: string, text: string): Suggestion[] {
  const { project, state, today, items } = useProject();
  const wanted = useSettled(text.trim());
  const none = dimension === "event:revenue" || dimension === PROPERTY || (dimension === "event:goal" && items.goals.length === 0);
  // Countries and languages are stored as codes and searched for by name here.
  const byName = dimension === "visit:country" || dimension === "visit:locale";
  const others = state.filters.filter((filter) => !usesDimension([filter], dimension));
  const filters = listFilters(dimension);
  if (wanted && !byName && dimension !== "event:goal") filters.push(["contains", dimension, [wanted], { case_sensitive: false }]);
  const answer = useQuery(
    none
      ? null
      : {
          ...baseQuery(project.name, { ...state, filters: others }, today, filters),
          metrics: ["visitors"],
          dimensions: [dimension],
          order_by: [["visitors", "desc"]],
          pagination: { limit: byName ? 300 : SUGGESTIONS, offset: 0 },
        },
  );
  return (answer.data?.results ?? [])
    .map((row) => ({
      value: String(row.dimensions[0]),
      shown: showValue(dimension, row.dimensions[0] ?? ""),
      visitors: write("visitors", row.metrics[0]),
    }))
    .filter(({ value, shown }) => `${value} ${shown}`.toLowerCase().includes(wanted.toLowerCase()))
    .slice(0, SUGGESTIONS);
}

// Several values as chips, with suggestions while one types. `exact`: suggestions are whole values, so they may be chosen.
export function ValuesField({
  label,
  hint,
  dimension,
  exact,
  values,
  error,
  onValues,
}: {
  label: string;
  hint: string;
  dimension: string;
  exact: boolean;
  values: string[];
  error: string | null;
  onValues: (values: string[]) => void;
}) {
  const id = useId();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const suggestions = useSuggestions(dimension, text).filter((each) => !values.includes(each.value));
  const shown = open && suggestions.length > 0;
  const add = (value: string) => {
    if (value.trim() !== "" && !values.includes(value)) onValues([...values, value]);
    setText("");
    setAt(-1);
    setOpen(false); // it lies over what comes next; typing brings it back
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      setAt((before) => Math.max(-1, Math.min(suggestions.length - 1, before + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter" && (text !== "" || at >= 0)) {
      event.preventDefault(); // the form is sent by the next Enter
      add(at >= 0 ? suggestions[at]!.value : text);
    } else if (event.key === "Backspace" && text === "" && values.length > 0) onValues(values.slice(0, -1));
    else if (event.key === "Escape" && shown) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      <div class="values">
        {values.map((value) => (
          <span key={value} class="value">
            {showValue(dimension, value)}
            <button
              type="button"
              aria-label={`Take away: ${showValue(dimension, value)}`}
              onClick={() => {
                document.getElementById(id)?.focus();
                onValues(values.filter((each) => each !== value));
              }}
            >
              <Icon name="cross" size={10} />
            </button>
          </span>
        ))}
        <input
          id={id}
          class="values-input"
          type="text"
          role="combobox"
          autocomplete="off"
          aria-expanded={shown}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          aria-describedby={`${id}-hint`}
          aria-invalid={error ? "true" : undefined}
          value={text}
          maxLength={2000}
          placeholder={values.length === 0 ? (exact ? "Choose or write" : "Write, then Enter") : ""}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setOpen(true);
          }}
          onFocus={() => setOpen(true)}
          onClick={() => setOpen(true)}
          onBlur={() => {
            setOpen(false);
            if (text.trim() !== "") add(text);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div class="suggestions-at">
      <ul class="suggestions" id={`${id}-list`} role="listbox" aria-label="Suggestions" hidden={!shown}>
        {suggestions.map((each, index) => (
          <li
            key={each.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            class={index === at ? "suggestion suggestion-at" : "suggestion"}
            onMouseDown={(event) => {
              event.preventDefault();
              add(each.value);
            }}
          >
            <span>{each.shown}</span>
            <span class="numbers">{each.visitors}</span>
          </li>
        ))}
      </ul>
      </div>
      <div class="field-hint" id={`${id}-hint`}>
        {hint}
      </div>
      {error ? (
        <div class="field-error" role="alert">
          {error}
        </div>
      ) : null}
    </div>
  );
}
