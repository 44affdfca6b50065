import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { moment } from "../../format/dates";
import { useSession } from "../../state/session";
import { useLoad } from "../../state/useLoad";
import { useSaving } from "../../state/useSaving";
import { SelectField, TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { Table } from "../../ui/Table";
import { deleteColumn, Loadable, Secret, Section } from "./Section";

interface Key {
  id: string;
  name: string;
  scope: string;
  project: string | null;
  created_at: string;
  expires_at: string | null;
}

const SCOPES = [
  { value: "capture", label: "capture: send events for others (their address, their user agent)" },
  { value: "stats", label: "stats: read reports" },
  { value: "sql", label: "sql: read reports, ask SQL, see single events" },
  { value: "admin", label: "admin: everything" },
];
const LIFETIMES = [
  { value: "", label: "Never" },
  { value: "30", label: "After 30 days" },
  { value: "90", label: "After 90 days" },
  { value: "365", label: "After a year" },
];
const DAY_MS = 86_400_000;

// Keys of programs. `project` null: of all projects, and of each.
export function KeysTab({ project }: { project: string | null }) {
  const session = useSession();
  const keys = useLoad(`keys ${project}`, async (signal) =>
    (await api.get<{ keys: Key[] }>("/api/v1/keys", { signal })).keys.filter((key) => project === null || key.project === project),
  );
  const [name, setName] = useState("");
  const [scope, setScope] = useState("stats");
  const [days, setDays] = useState("90");
  const [of, setOf] = useState(project ?? "");
  const [secret, setSecret] = useState<string | null>(null);
  const saving = useSaving();
  const create = () =>
    saving.save(async () => {
      const expires = days ? { expires_at: new Date(Date.now() + Number(days) * DAY_MS).toISOString() } : {};
      const made = await api.post<{ secret: string }>("/api/v1/keys", { name: name.trim(), scope, ...(of ? { project: of } : {}), ...expires });
      setSecret(made.secret);
      setName("");
      keys.retry();
    });
  return (
    <Section title="API keys" hint="For programs: Authorization: Bearer KEY. A key may do what its scope says, in its project or in all.">
      {secret ? <Secret text={secret} what="The new key." onDone={() => setSecret(null)} /> : null}
      <Loadable loaded={keys} what="The keys">
        {(list) =>
          list.length === 0 ? (
            <p class="soft">No key yet.</p>
          ) : (
            <Table
              stacks
              caption="All keys"
              columns={[
                { key: "name", title: "Name", cell: (row) => <strong>{row.name}</strong> },
                { key: "scope", title: "Scope", cell: (row) => <span class="badge">{row.scope}</span> },
                ...(project === null ? [{ key: "project", title: "Project", cell: (row: Key) => row.project ?? "all" }] : []),
                { key: "created", title: "Made", oneLine: true, cell: (row) => moment(row.created_at) },
                {
                  key: "expires",
                  title: "Expires",
                  oneLine: true,
                  cell: (row) =>
                    row.expires_at === null ? "never" : Date.parse(row.expires_at) < Date.now() ? <span class="badge badge-bad">expired</span> : moment(row.expires_at),
                },
                deleteColumn((row: Key) => ({
                  label: `Delete the key ${row.name}`,
                  question: `Delete the key “${row.name}”? What uses it stops working at once.`,
                  act: () => api.del(`/api/v1/keys/${encodeURIComponent(row.id)}`),
                  after: keys.retry,
                })),
              ]}
              rows={list}
              rowKey={(row) => row.id}
            />
          )
        }
      </Loadable>
      <SaveForm saving={saving} button="Make a key" look="normal" onSave={create}>
        <TextField label="Name" hint="What uses it" value={name} onText={setName} maxLength={100} required />
        <SelectField label="Scope" choices={SCOPES} value={scope} onChoice={setScope} />
        <div class="form-row">
          {project === null ? (
            <SelectField
              label="Project"
              choices={[{ value: "", label: "All projects" }, ...(session?.projects ?? []).map((each) => ({ value: each.name, label: each.name }))]}
              value={of}
              onChoice={setOf}
            />
          ) : null}
          <SelectField label="Expires" choices={LIFETIMES} value={days} onChoice={setDays} />
        </div>
      </SaveForm>
    </Section>
  );
}
