import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Filter } from "../../api/types";
import { moment } from "../../format/dates";
import type { Segment } from "../../state/items";
import { useLoad } from "../../state/useLoad";
import { useSaving } from "../../state/useSaving";
import { SelectField, TextArea, TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { Table } from "../../ui/Table";
import { filterText } from "./ItemsTab";
import { CopyButton, deleteColumn, Loadable, Secret, Section } from "./Section";
import type { TabProps } from "./tabs";

interface Share {
  id: string;
  name: string;
  password: boolean;
  segment: Filter[] | null;
  origins: string[];
  created_at: string;
  expires_at: string | null;
}

export const embedCode = (link: string): string =>
  `<iframe src="${link}?embed=1" title="Statistics" width="100%" height="1600" loading="lazy" style="border: 0"></iframe>`;

export function SharesTab({ project }: TabProps) {
  const shares = useLoad(`shares ${project}`, async (signal) => (await api.get<{ shares: Share[] }>("/api/v1/shares", { signal, query: { project } })).shares);
  const segments = useLoad(`segments ${project}`, async (signal) => (await api.get<{ segments: Segment[] }>("/api/v1/segments", { signal, query: { project } })).segments);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [segment, setSegment] = useState("");
  const [expires, setExpires] = useState("");
  const [origins, setOrigins] = useState("");
  const [made, setMade] = useState<{ link: string; embedded: boolean } | null>(null);
  const saving = useSaving();
  const create = () =>
    saving.save(async () => {
      const allowed = origins.split(/[\s,]+/).filter(Boolean);
      const filters = segments.data?.find((each) => each.id === segment)?.filters;
      const answer = await api.post<{ link: string }>("/api/v1/shares", {
        project,
        name: name.trim(),
        ...(password ? { password } : {}),
        ...(filters ? { segment: filters } : {}),
        ...(expires ? { expires_at: new Date(`${expires}T23:59:59`).toISOString() } : {}),
        origins: allowed,
      });
      setMade({ link: new URL(answer.link, window.location.origin).href, embedded: allowed.length > 0 });
      setName("");
      setPassword("");
      shares.retry();
    });
  return (
    <Section title="Shared links" hint="Whoever has the link sees this project's page, and nothing else: no people, no settings, no single events.">
      {made ? (
        <>
          <Secret text={made.link} what="The new link." onDone={() => setMade(null)} />
          {made.embedded ? (
            <>
              <p>To show it in a page of the allowed sites:</p>
              <div class="snippet">
                <pre tabIndex={0}>{embedCode(made.link)}</pre>
              </div>
              <div class="form-actions">
                <CopyButton text={embedCode(made.link)} label="Copy the code" />
              </div>
            </>
          ) : null}
        </>
      ) : null}
      <Loadable loaded={shares} what="The shared links">
        {(list) =>
          list.length === 0 ? (
            <p class="soft">No link yet.</p>
          ) : (
            <Table
              stacks
              caption="All shared links"
              columns={[
                { key: "name", title: "Name", cell: (row) => <strong>{row.name}</strong> },
                { key: "password", title: "Password", cell: (row) => (row.password ? "asked for" : "none") },
                { key: "segment", title: "Shows", cell: (row) => (row.segment ? row.segment.map(filterText).join(", ") : "everything") },
                { key: "origins", title: "In pages of", cell: (row) => row.origins.join(", ") || "none" },
                { key: "expires", title: "Expires", oneLine: true, cell: (row) => (row.expires_at ? moment(row.expires_at) : "never") },
                deleteColumn((row: Share) => ({
                  label: `Delete the link ${row.name}`,
                  question: `Delete the link “${row.name}”? Who has it sees nothing any more.`,
                  act: () => api.del(`/api/v1/shares/${encodeURIComponent(row.id)}`),
                  after: shares.retry,
                })),
              ]}
              rows={list}
              rowKey={(row) => row.id}
            />
          )
        }
      </Loadable>
      <SaveForm saving={saving} button="Make the link" onSave={create}>
        <TextField label="Name" hint="For you: who has it" value={name} onText={setName} maxLength={100} required />
        <div class="form-row">
          <TextField label="Password" hint="Empty: the link is enough" type="password" autocomplete="new-password" value={password} onText={setPassword} />
          <TextField label="Last day" hint="Empty: for ever" type="date" value={expires} onText={setExpires} />
        </div>
        <SelectField
          label="Shows"
          choices={[{ value: "", label: "Everything" }, ...(segments.data ?? []).map((each) => ({ value: each.id, label: `Only the segment ${each.name}` }))]}
          value={segment}
          onChoice={setSegment}
        />
        <TextArea
          label="May be shown in pages of"
          hint="Origins such as https://www.example.com, one a line. Empty: in none."
          rows={2}
          value={origins}
          onText={setOrigins}
        />
      </SaveForm>
    </Section>
  );
}
