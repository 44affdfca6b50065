import { useState } from "preact/hooks";
import type { Filter } from "../../api/types";
import { DIMENSIONS, PROPERTY, dimensionName } from "../../state/dimensions";
import { OPERATORS, isLeaf, operatorsFor, sameFilter } from "../../state/filters";
import { useProject } from "../../state/project";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { CheckField, SelectField, TextField } from "../../ui/Field";
import { ValuesField } from "./ValuesField";

const GROUPS: readonly { title: string; dimensions: readonly string[] }[] = [
  { title: "Page", dimensions: ["event:page", "visit:entry_page", "visit:exit_page", "event:hostname", "event:title"] },
  {
    title: "Source",
    dimensions: ["visit:channel", "visit:source", "visit:referrer", "visit:utm_campaign", "visit:utm_source", "visit:utm_medium", "visit:utm_term", "visit:utm_content"],
  },
  { title: "Place", dimensions: ["visit:country", "visit:region", "visit:city", "visit:locale"] },
  {
    title: "Device",
    dimensions: ["visit:browser", "visit:browser_version", "visit:os", "visit:os_version", "visit:device", "visit:screen"],
  },
  { title: "What they did", dimensions: ["event:goal", "event:name", "event:app_version", "event:revenue"] },
];
const BEHAVIOURS = [
  { value: "now", label: "Events that match" },
  { value: "has_done", label: "Visitors who did it in the range" },
  { value: "has_not_done", label: "Visitors who did not do it in the range" },
];
const EXPRESSION = ["matches", "matches_not", "matches_wildcard", "matches_wildcard_not"];

interface Form {
  behaviour: string;
  dimension: string;
  property: string;
  operator: string;
  values: string[];
  caseSensitive: boolean;
}

function formOf(filter: Filter | null): Form {
  const empty: Form = { behaviour: "now", dimension: "event:page", property: "", operator: "is", values: [], caseSensitive: true };
  if (filter === null) return empty;
  const behaviour = filter[0] === "has_done" || filter[0] === "has_not_done" ? filter[0] : "now";
  const leaf = behaviour === "now" ? filter : (filter[1] as Filter);
  if (!isLeaf(leaf)) return empty;
  const [operator, dimension, values, options] = leaf;
  const isProperty = dimension.startsWith(PROPERTY);
  return {
    behaviour,
    operator,
    dimension: isProperty ? PROPERTY : dimension,
    property: isProperty ? dimension.slice(PROPERTY.length) : "",
    values: values.map(String),
    caseSensitive: options?.case_sensitive ?? true,
  };
}

function filterOf(form: Form): Filter | string {
  const dimension = form.dimension === PROPERTY ? PROPERTY + form.property.trim() : form.dimension;
  if (dimension === PROPERTY) return "Name the property";
  if (form.values.length === 0) return "Give at least one value";
  const numeric = ["greater", "greater_or_equal", "less", "less_or_equal"].includes(form.operator);
  const values = numeric ? form.values.map(Number) : form.values;
  if (values.some((value) => typeof value === "number" && !Number.isFinite(value))) return "A number is wanted here";
  const leaf: Filter = form.caseSensitive
    ? [form.operator, dimension, values]
    : [form.operator, dimension, values, { case_sensitive: false }];
  return form.behaviour === "has_done" || form.behaviour === "has_not_done" ? [form.behaviour, leaf] : leaf;
}

// One filter, new or changed. Groups that an address holds are shown as they are and can be taken away only.
export function FilterDialog({ filter, onClose }: { filter: Filter | null; onClose: () => void }) {
  const { state, items, go } = useProject();
  const [form, setForm] = useState(() => formOf(filter));
  const [error, setError] = useState<string | null>(null);
  const set = (change: Partial<Form>) => {
    setError(null);
    setForm((before) => {
      const next = { ...before, ...change };
      const operators = operatorsFor(next.dimension === PROPERTY ? PROPERTY + next.property : next.dimension);
      if (!operators.includes(next.operator)) next.operator = operators[0]!;
      return next;
    });
  };
  const full = form.dimension === PROPERTY ? PROPERTY + form.property : form.dimension;
  const operators = operatorsFor(full);
  const isGroup = filter !== null && !isLeaf(filter) && formOf(filter).values.length === 0;
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const made = filterOf(form);
    if (typeof made === "string") return setError(made);
    const others = state.filters.filter((each) => !(filter && sameFilter(each, filter)) && !sameFilter(each, made));
    go({ filters: [...others, made] });
    onClose();
  };
  const takeAway = () => {
    go({ filters: state.filters.filter((each) => !(filter && sameFilter(each, filter))) });
    onClose();
  };
  const title = filter ? "Change the filter" : "Add a filter";
  if (isGroup || form.dimension === "segment")
    return (
      <Dialog title={title} onClose={onClose}>
        <div class="form">
          <p>{form.dimension === "segment" ? "A segment is changed by saving it anew." : "This group of filters came with the address."}</p>
          <div class="form-actions">
            {form.dimension === "segment" ? (
              <Button
                look="primary"
                onClick={() => {
                  const segment = items.segments.find((each) => form.values.includes(each.id));
                  if (segment) go({ filters: [...state.filters.filter((each) => !(filter && sameFilter(each, filter))), ...segment.filters] });
                  onClose();
                }}
              >
                Take it apart into its filters
              </Button>
            ) : null}
            <Button onClick={takeAway}>Take it away</Button>
          </div>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="form" onSubmit={apply}>
        <div class="form-pair">
          <div class="field">
            <label class="field-label" for="filter-dimension">
              What
            </label>
            <select
              id="filter-dimension"
              class="input"
              value={form.dimension}
              autofocus={filter === null}
              onChange={(event) => set({ dimension: event.currentTarget.value, values: [] })}
            >
              {GROUPS.map((group) => (
                <optgroup key={group.title} label={group.title}>
                  {group.dimensions.map((dimension) => (
                    <option key={dimension} value={dimension}>
                      {DIMENSIONS[dimension]}
                    </option>
                  ))}
                </optgroup>
              ))}
              <option value={PROPERTY}>Property…</option>
            </select>
          </div>
          <SelectField
            label="How"
            value={form.operator}
            choices={operators.map((operator) => ({ value: operator, label: OPERATORS[operator]! }))}
            onChoice={(operator) => set({ operator })}
          />
        </div>
        {form.dimension === PROPERTY ? (
          <>
            <TextField label="Property" value={form.property} list="filter-properties" maxLength={200} onText={(property) => set({ property, values: [] })} />
            <datalist id="filter-properties">
              {items.properties.map((property) => (
                <option key={property.key} value={property.key} />
              ))}
            </datalist>
          </>
        ) : null}
        <ValuesField
          key={full}
          label={form.operator === "matches" || form.operator === "matches_not" ? "Expression (RE2)" : `Value of ${dimensionName(full)}`}
          dimension={full}
          exact={form.operator === "is" || form.operator === "is_not"}
          hint={EXPRESSION.slice(2).includes(form.operator) ? "* stands for any text but a slash, ** for any text" : "Several values: any of them"}
          values={form.values}
          error={error}
          onValues={(values) => set({ values })}
        />
        {full === "event:goal" || full === "event:revenue" ? null : (
          <CheckField label="Upper and lower case differ" checked={form.caseSensitive} onCheck={(caseSensitive) => set({ caseSensitive })} />
        )}
        <SelectField label="Who counts" value={form.behaviour} choices={BEHAVIOURS} onChoice={(behaviour) => set({ behaviour })} />
        <div class="form-actions">
          <Button look="primary" type="submit">
            Apply
          </Button>
          {filter ? <Button onClick={takeAway}>Take it away</Button> : null}
        </div>
      </form>
    </Dialog>
  );
}
