import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { navigate, projectPath } from "../../state/router";
import { loadSession } from "../../state/session";
import { useLoad } from "../../state/useLoad";
import { useSaving } from "../../state/useSaving";
import { CheckField, SelectField, TextArea, TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { Table } from "../../ui/Table";
import { toast } from "../../ui/Toast";
import { deleteColumn, Loadable, Section } from "./Section";
import type { TabProps } from "./tabs";
import { TimeZoneField } from "./TimeZoneField";

interface Project {
  id: string;
  name: string;
  time_zone: string;
  retention_days: number;
  ip_policy: "none" | "masked" | "whole";
  hostnames: string[];
  foreign_hostnames: "keep" | "spam";
  privacy_signals: "ignore" | "respect";
  created_at: string;
}

const POLICIES = [
  { value: "none", label: "Nothing: only place and network are taken from it" },
  { value: "masked", label: "Masked: the last part is cut off" },
  { value: "whole", label: "Whole" },
];
const DAYS_MAX = 36_500;

function ProjectForm({ project, onSaved }: { project: Project; onSaved: (name: string) => void }) {
  const [name, setName] = useState(project.name);
  const [zone, setZone] = useState(project.time_zone);
  const [days, setDays] = useState(String(project.retention_days));
  const [policy, setPolicy] = useState<string>(project.ip_policy);
  const [hosts, setHosts] = useState(project.hostnames.join("\n"));
  const [onlyThese, setOnlyThese] = useState(project.foreign_hostnames === "spam");
  const [signals, setSignals] = useState(project.privacy_signals === "respect");
  const saving = useSaving();
  const hostnames = hosts.split(/[\s,]+/).filter(Boolean);
  const save = async () => {
    const change = {
      name,
      time_zone: zone,
      retention_days: Number(days),
      ip_policy: policy,
      hostnames,
      foreign_hostnames: onlyThese && hostnames.length > 0 ? "spam" : "keep",
      privacy_signals: signals ? "respect" : "ignore",
    };
    if (await saving.save(() => api.patch(`/api/v1/projects/${project.id}`, change))) onSaved(name);
  };
  return (
    <SaveForm saving={saving} button="Save" onSave={save}>
      <TextField
        label="Name"
        hint="What senders call it. After a change they must use the new one, or keep the old one as an outside name below."
        value={name}
        onText={setName}
        pattern="[A-Za-z0-9._\-]{1,64}"
        required
      />
      <TimeZoneField value={zone} onChoice={setZone} hint="Days of reports begin and end in it. Past numbers are counted anew." />
      <TextField
        label="Keep events for so many days"
        hint="0: for ever. Older events are not taken any more."
        type="number"
        min={0}
        max={DAYS_MAX}
        value={days}
        onText={setDays}
        required
      />
      <SelectField label="Of a visitor's address, keep" choices={POLICIES} value={policy} onChoice={setPolicy} />
      <TextArea
        label="Hosts of its own sites"
        hint="One a line: www.example.org, or *.example.org for all below. Who comes from one of them was here before: it is no source."
        rows={3}
        value={hosts}
        onText={setHosts}
        spellcheck={false}
      />
      <CheckField
        label="Label events from pages of other hosts as spam"
        hint={hostnames.length > 0 ? "They are kept, and reports leave them out." : "Name the hosts first."}
        checked={onlyThese && hostnames.length > 0}
        onCheck={setOnlyThese}
        disabled={hostnames.length === 0}
      />
      <CheckField
        label="Do not count browsers that ask for it"
        hint="By Global Privacy Control or Do Not Track. Nothing of their events is stored."
        checked={signals}
        onCheck={setSignals}
      />
    </SaveForm>
  );
}

function Names({ project }: { project: string }) {
  const names = useLoad(`names ${project}`, async (signal) =>
    (await api.get<{ names: { value: string; project: string }[] }>("/api/v1/names", { signal })).names.filter((each) => each.project === project),
  );
  const [value, setValue] = useState("");
  const saving = useSaving();
  const add = async () => {
    if (await saving.save(() => api.post("/api/v1/names", { value: value.trim(), project }))) {
      setValue("");
      names.retry();
    }
  };
  return (
    <Section title="Outside names" hint="Other names that mean this project: a domain, another tool's key or site number, a name it had before.">
      <Loadable loaded={names} what="The outside names">
        {(list) =>
          list.length === 0 ? null : (
            <Table
              stacks
              caption="All outside names"
              columns={[
                { key: "value", title: "Name", cell: (row) => <code>{row.value}</code> },
                deleteColumn((row: { value: string }) => ({
                  label: `Delete the name ${row.value}`,
                  question: `Events sent to “${row.value}” will be refused. Delete the name?`,
                  act: () => api.del("/api/v1/names", { query: { value: row.value } }),
                  after: names.retry,
                })),
              ]}
              rows={list}
              rowKey={(row) => row.value}
            />
          )
        }
      </Loadable>
      <SaveForm saving={saving} button="Add" look="normal" onSave={add}>
        <TextField label="Another name" value={value} onText={setValue} maxLength={200} required />
      </SaveForm>
    </Section>
  );
}

function DeleteProject({ project }: { project: Project }) {
  const [typed, setTyped] = useState("");
  const saving = useSaving();
  const remove = async () => {
    if (!(await saving.save(() => api.del(`/api/v1/projects/${project.id}`)))) return;
    await loadSession();
    navigate("/ui/");
    toast(`The project ${project.name} is deleted`);
  };
  return (
    <Section title="Delete the project" danger hint="Its keys, names, rules, goals and links go with it, and its events are seen nowhere any more. There is no way back.">
      <SaveForm saving={saving} button={`Delete ${project.name}`} look="danger" disabled={typed !== project.name} onSave={remove}>
        <TextField label={`Type ${project.name} to delete it`} value={typed} onText={setTyped} autocomplete="off" />
      </SaveForm>
    </Section>
  );
}

export function GeneralTab({ project: name, owner }: TabProps) {
  const project = useLoad(`project ${name}`, (signal) => api.get<Project>(`/api/v1/projects/${encodeURIComponent(name)}`, { signal }));
  const saved = async (next: string) => {
    await loadSession();
    toast("Saved");
    if (next !== name) navigate(projectPath(next, "/settings/general"), { replace: true });
    else project.retry();
  };
  return (
    <>
      <Section title="Project">
        <Loadable loaded={project} what="The project">
          {(data) => <ProjectForm key={data.id} project={data} onSaved={(next) => void saved(next)} />}
        </Loadable>
      </Section>
      <Names project={name} />
      {owner && project.data ? <DeleteProject project={project.data} /> : null}
    </>
  );
}
