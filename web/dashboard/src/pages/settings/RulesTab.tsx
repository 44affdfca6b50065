import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { useLoad } from "../../state/useLoad";
import { useSaving } from "../../state/useSaving";
import { SelectField, TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { Table } from "../../ui/Table";
import { deleteColumn, Loadable, Section } from "./Section";
import type { TabProps } from "./tabs";

interface Rule {
  id: string;
  project: string | null;
  kind: string;
  value: string;
  label: string;
  note: string;
}

const KINDS = [
  { value: "address", label: "Address or network", example: "192.0.2.0/24" },
  { value: "hostname", label: "Host of the page", example: "staging.example.com or *.test" },
  { value: "path", label: "Page", example: "/admin, or /*/edit" },
  { value: "referrer", label: "Referrer's host", example: "spam.example" },
  { value: "user_agent", label: "User agent holds", example: "HealthCheck" },
];
const LABELS = [
  { value: "internal", label: "internal: our own people" },
  { value: "spam", label: "spam" },
  { value: "bot", label: "bot" },
];

// Labels for own traffic and spam: such events are kept, and reports leave them out.
export function RulesTab({ project }: TabProps) {
  const rules = useLoad(`rules ${project}`, async (signal) => (await api.get<{ rules: Rule[] }>("/api/v1/rules", { signal, query: { project } })).rules);
  const [kind, setKind] = useState("address");
  const [value, setValue] = useState("");
  const [label, setLabel] = useState("internal");
  const [note, setNote] = useState("");
  const saving = useSaving();
  const add = async () => {
    if (!(await saving.save(() => api.post("/api/v1/rules", { project, kind, value: value.trim(), label, note: note.trim() })))) return;
    setValue("");
    setNote("");
    rules.retry();
  };
  const example = KINDS.find((each) => each.value === kind)?.example;
  return (
    <Section
      title="Exclusions"
      hint="Events that fit are labelled as they are loaded, from now on. They are kept, with the rule as their reason, and reports leave them out unless asked."
    >
      <Loadable loaded={rules} what="The rules">
        {(list) =>
          list.length === 0 ? (
            <p class="soft">No rule yet.</p>
          ) : (
            <Table
              stacks
              caption="Rules"
              columns={[
                { key: "kind", title: "Looks at", cell: (row) => KINDS.find((each) => each.value === row.kind)?.label ?? row.kind },
                { key: "value", title: "Value", cell: (row) => <code>{row.value}</code> },
                { key: "label", title: "Label", cell: (row) => <span class="badge">{row.label}</span> },
                { key: "note", title: "Note", cell: (row) => row.note },
                deleteColumn((row: Rule) => ({
                  label: `Delete the rule ${row.value}`,
                  question: `Delete the rule “${row.value}”? What it labelled stays labelled.`,
                  act: () => api.del(`/api/v1/rules/${encodeURIComponent(row.id)}`),
                  after: rules.retry,
                })),
              ]}
              rows={list}
              rowKey={(row) => row.id}
            />
          )
        }
      </Loadable>
      <SaveForm saving={saving} button="Add the rule" look="normal" onSave={add}>
        <div class="form-row">
          <SelectField label="Looks at" choices={KINDS} value={kind} onChoice={setKind} />
          <TextField label="Value" hint={example ? `Such as ${example}` : undefined} value={value} onText={setValue} maxLength={200} required />
        </div>
        <div class="form-row">
          <SelectField label="Label as" choices={LABELS} value={label} onChoice={setLabel} />
          <TextField label="Note" hint="For people; may be empty" value={note} onText={setNote} maxLength={200} />
        </div>
      </SaveForm>
    </Section>
  );
}
