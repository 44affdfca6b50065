import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Filter } from "../../api/types";
import { day, moment } from "../../format/dates";
import { useLoad, type Loaded } from "../../state/useLoad";
import { projectPath } from "../../state/router";
import { addItem, removeItem, type Annotation, type Goal, type Property, type Segment } from "../../state/items";
import { useSaving } from "../../state/useSaving";
import { Button } from "../../ui/Button";
import { CheckField, SelectField, TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { Table, type Column } from "../../ui/Table";
import { confirmed, Loadable, Section } from "./Section";
import type { TabProps } from "./tabs";

type Kind = "goals" | "properties" | "segments" | "annotations";

function useItemsOf<Item>(kind: Kind, project: string): Loaded<Item[]> {
  return useLoad(`${kind} ${project}`, async (signal) => (await api.get<Record<string, Item[]>>(`/api/v1/${kind}`, { signal, query: { project } }))[kind] ?? []);
}

function ItemTable<Item extends { id: string; name: string; owner: string | null }>({
  kind,
  caption,
  loaded,
  columns,
  empty,
}: {
  kind: Kind;
  caption: string;
  loaded: Loaded<Item[]>;
  columns: Column<Item>[];
  empty: string;
}) {
  return (
    <Loadable loaded={loaded} what={caption.replace("All ", "The ")}>
      {(list) =>
        list.length === 0 ? (
          <p class="soft">{empty}</p>
        ) : (
          <Table
            stacks
            caption={caption}
            columns={[
              ...columns,
              {
                key: "delete",
                title: <span class="sr-only">Delete</span>,
                end: true,
                cell: (row) => (
                  <Button
                    small
                    look="danger"
                    aria-label={`Delete ${row.name}`}
                    onClick={() => void confirmed(`Delete “${row.name}”${row.owner ? "" : " for everybody"}?`, () => removeItem(kind, row.id), loaded.retry)}
                  >
                    Delete
                  </Button>
                ),
              },
            ]}
            rows={list}
            rowKey={(row) => row.id}
          />
        )
      }
    </Loadable>
  );
}

function GoalForm({ project, onAdded }: { project: string; onAdded: () => void }) {
  const [by, setBy] = useState("event");
  const [value, setValue] = useState("");
  const [name, setName] = useState("");
  const [key, setKey] = useState("");
  const [wanted, setWanted] = useState("");
  const [money, setMoney] = useState(false);
  const [currency, setCurrency] = useState("EUR");
  const saving = useSaving();
  const add = async () => {
    const text = value.trim();
    const body = {
      name: name.trim() || (by === "event" ? text : `Visit ${text}`),
      [by]: text,
      ...(key.trim() ? { property: { name: key.trim(), value: wanted } } : {}),
      ...(money ? { currency: currency.trim().toUpperCase() } : {}),
    };
    if (!(await saving.save(() => addItem("goals", project, body)))) return;
    setValue("");
    setName("");
    setKey("");
    setWanted("");
    onAdded();
  };
  return (
    <SaveForm saving={saving} button="Add the goal" look="normal" onSave={add}>
      <div class="form-row">
        <SelectField
          label="Reached by"
          choices={[
            { value: "event", label: "An event" },
            { value: "page", label: "A page" },
          ]}
          value={by}
          onChoice={setBy}
        />
        <TextField
          label={by === "event" ? "Event's name" : "Page"}
          hint={by === "event" ? "Exactly as it is sent, such as signup" : "A path such as /thanks*; * is any text but /, ** any text"}
          value={value}
          onText={setValue}
          maxLength={200}
          required
        />
      </div>
      <div class="form-row">
        <TextField label="Only with the property" hint="May be empty" value={key} onText={setKey} maxLength={200} />
        <TextField label="of the value" value={wanted} onText={setWanted} disabled={!key.trim()} maxLength={1000} />
      </div>
      <TextField label="Shown as" hint="What reports call it; empty: by what reaches it" value={name} onText={setName} maxLength={200} />
      <CheckField label="It brings revenue" hint="Sums what its events carry as revenue." checked={money} onCheck={setMoney} />
      {money ? (
        <TextField label="Currency" hint="ISO 4217; other currencies are left out" value={currency} onText={setCurrency} pattern="[A-Za-z]{3}" maxLength={3} required />
      ) : null}
    </SaveForm>
  );
}

export function GoalsTab({ project }: TabProps) {
  const goals = useItemsOf<Goal & { property?: { name: string; value: string } }>("goals", project);
  return (
    <Section title="Goals" hint="What visitors are to do: reports count who did, how many of all, and what it brought.">
      <ItemTable
        kind="goals"
        caption="All goals"
        loaded={goals}
        empty="No goal yet."
        columns={[
          { key: "name", title: "Goal", cell: (row) => <strong>{row.name}</strong> },
          {
            key: "by",
            title: "Reached by",
            cell: (row) => (
              <>
                {row.event ? "event " : "page "}
                <code>{row.event ?? row.page}</code>
                {row.property ? (
                  <>
                    {" "}
                    with <code>{row.property.name}</code> = <code>{row.property.value}</code>
                  </>
                ) : null}
              </>
            ),
          },
          { key: "currency", title: "Revenue", cell: (row) => row.currency ?? "" },
        ]}
      />
      <GoalForm project={project} onAdded={goals.retry} />
    </Section>
  );
}

export function PropertiesTab({ project }: TabProps) {
  const properties = useItemsOf<Property>("properties", project);
  const [key, setKey] = useState("");
  const saving = useSaving();
  const add = async () => {
    if (!(await saving.save(() => addItem("properties", project, { name: key.trim(), key: key.trim() })))) return;
    setKey("");
    properties.retry();
  };
  return (
    <Section
      title="Properties"
      hint={
        <>
          Custom properties (<code>details</code> of events) that reports show beside the others. All properties are kept and can be asked for, also those that are not
          listed here.
        </>
      }
    >
      <ItemTable
        kind="properties"
        caption="All properties"
        loaded={properties}
        empty="No property is shown yet."
        columns={[{ key: "key", title: "Property", cell: (row) => <code>{row.key}</code> }]}
      />
      <SaveForm saving={saving} button="Show it" look="normal" onSave={add}>
        <TextField label="Property" hint="As it is sent, such as plan" value={key} onText={setKey} maxLength={200} required />
      </SaveForm>
    </Section>
  );
}

// A filter in short: nobody writes these by hand.
export function filterText(filter: Filter): string {
  const [operator, ...rest] = filter as [string, ...unknown[]];
  if (operator === "and" || operator === "or") return (rest[0] as Filter[]).map(filterText).join(` ${operator} `);
  if (operator === "not" || operator === "has_done" || operator === "has_not_done") return `${operator.replaceAll("_", " ")} (${filterText(rest[0] as Filter)})`;
  const [dimension, values] = rest as [string, unknown[]];
  return `${dimension.replace(/^(event|visit):(props:)?/, "")} ${operator.replaceAll("_", " ")} ${values.map(String).join(" or ")}`;
}

export function SegmentsTab({ project }: TabProps) {
  const segments = useItemsOf<Segment & { created_at: string }>("segments", project);
  return (
    <Section
      title="Segments"
      hint={
        <>
          Filters under a name. They are made on the <a href={projectPath(project)}>project's page</a>: filter, then save.
        </>
      }
    >
      <ItemTable
        kind="segments"
        caption="All segments"
        loaded={segments}
        empty="No segment yet."
        columns={[
          {
            key: "name",
            title: "Segment",
            cell: (row) => (
              <>
                <strong>{row.name}</strong> {row.owner ? <span class="badge">mine</span> : null}
              </>
            ),
          },
          { key: "filters", title: "Filters", cell: (row) => row.filters.map(filterText).join(", ") },
          { key: "made", title: "Made", oneLine: true, cell: (row) => moment(row.created_at) },
        ]}
      />
    </Section>
  );
}

export function AnnotationsTab({ project }: TabProps) {
  const annotations = useItemsOf<Annotation>("annotations", project);
  const [date, setDate] = useState("");
  const [text, setText] = useState("");
  const saving = useSaving();
  const add = async () => {
    if (!(await saving.save(() => addItem("annotations", project, { name: text.trim().slice(0, 80), date, text: text.trim() })))) return;
    setText("");
    annotations.retry();
  };
  return (
    <Section title="Annotations" hint="What happened on a day, marked in the graphs: a launch, a campaign, an outage.">
      <ItemTable
        kind="annotations"
        caption="All annotations"
        loaded={annotations}
        empty="No annotation yet."
        columns={[
          { key: "date", title: "Day", oneLine: true, cell: (row) => (row.date.length === 10 ? day(row.date) : moment(row.date)) },
          { key: "text", title: "What", cell: (row) => row.text },
        ]}
      />
      <SaveForm saving={saving} button="Add" look="normal" onSave={add}>
        <div class="form-row">
          <TextField label="Day" type="date" value={date} onText={setDate} required />
          <TextField label="What happened" value={text} onText={setText} maxLength={500} required />
        </div>
      </SaveForm>
    </Section>
  );
}
