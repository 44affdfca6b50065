import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Role } from "../../api/types";
import { moment } from "../../format/dates";
import { loadSession, useSession } from "../../state/session";
import { useLoad } from "../../state/useLoad";
import { useSaving } from "../../state/useSaving";
import { Button } from "../../ui/Button";
import { CheckField, SelectField, TextField } from "../../ui/Field";
import { SaveForm, SavingError } from "../../ui/SaveForm";
import { Table } from "../../ui/Table";
import { confirmed, Loadable, Secret, Section } from "./Section";

interface Grant {
  project: string | null; // null: all projects
  role: Role;
}
interface Person {
  id: string;
  email: string;
  name: string;
  grants: Grant[];
  second_factor: boolean;
  created_at: string;
}
interface Invitation {
  id: string;
  email: string;
  role: Role;
  project: string | null;
  created_at: string;
  expires_at: string;
}

const ROLES: { value: Role; label: string }[] = [
  { value: "viewer", label: "viewer: sees the reports" },
  { value: "editor", label: "editor: goals, segments, SQL, single events" },
  { value: "admin", label: "admin: settings, keys, people of the project" },
  { value: "owner", label: "owner: everything, in all projects" },
];

const grantText = (grant: Grant): string => `${grant.role} of ${grant.project ?? "all projects"}`;

// What holds for everybody.
function PolicySection() {
  const policy = useLoad("policy", (signal) => api.get<{ second_factor_required: boolean }>("/api/v1/policy", { signal }));
  const saving = useSaving();
  const change = async (required: boolean) => {
    await saving.save(() => api.patch("/api/v1/policy", { second_factor_required: required }));
    policy.retry();
    void loadSession();
  };
  return (
    <Section title="Signing in">
      <Loadable loaded={policy} what="The rules of signing in">
        {(data) => (
          <CheckField
            label="Everybody needs a second factor"
            hint="Who has none can only set one up until they have."
            checked={data.second_factor_required}
            disabled={saving.busy}
            onCheck={(checked) => void change(checked)}
          />
        )}
      </Loadable>
      <SavingError saving={saving} />
    </Section>
  );
}

// `project` null: people of all projects and of each, for owners.
export function PeopleTab({ project }: { project: string | null }) {
  const session = useSession();
  const key = `people ${project}`;
  const query = { project: project ?? undefined };
  const people = useLoad(key, async (signal) => (await api.get<{ users: Person[] }>("/api/v1/users", { signal, query })).users);
  const invitations = useLoad(`invitations ${project}`, async (signal) => (await api.get<{ invitations: Invitation[] }>("/api/v1/invitations", { signal, query })).invitations);
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<string>("viewer");
  const [of, setOf] = useState(project ?? "");
  const [link, setLink] = useState<string | null>(null);
  const saving = useSaving();
  const invite = () =>
    saving.save(async () => {
      const made = await api.post<{ link: string }>("/api/v1/invitations", { email: email.trim(), role, project: of || null });
      setLink(new URL(made.link, window.location.origin).href);
      setEmail("");
      invitations.retry();
    });
  // Everybody's own rights stay, but in this place.
  const change = (person: Person, next: Grant[]) => api.patch(`/api/v1/users/${encodeURIComponent(person.id)}`, { grants: next });
  const changing = useSaving();
  const here = (person: Person) => person.grants.find((grant) => grant.project === project);
  const roles = ROLES.filter((each) => each.value !== "owner" || (project === null && session?.user?.role === "owner"));
  return (
    <>
      <Section title={project === null ? "People" : "People of the project"}>
        <SavingError saving={changing} />
        <Loadable loaded={people} what="The people">
          {(list) => (
            <Table
              stacks
              caption="All people"
              columns={[
                {
                  key: "name",
                  title: "Who",
                  cell: (row) => (
                    <>
                      <strong>{row.name}</strong> {row.id === session?.user?.id ? <span class="badge">you</span> : null}
                      <br />
                      <span class="soft">{row.email}</span>
                    </>
                  ),
                },
                {
                  key: "role",
                  title: "Role",
                  cell: (row) => {
                    const grant = here(row);
                    if (!grant) return row.grants.map(grantText).join(", ");
                    return (
                      <select
                        class="input"
                        aria-label={`Role of ${row.name}`}
                        value={grant.role}
                        onChange={(event) => {
                          const chosen = event.currentTarget.value as Role;
                          void changing
                            .save(() => change(row, row.grants.map((each) => (each === grant ? { ...each, role: chosen } : each))))
                            .then(people.retry);
                        }}
                      >
                        {ROLES.filter((each) => each.value === grant.role || roles.includes(each)).map((each) => (
                          <option key={each.value} value={each.value}>
                            {each.value}
                          </option>
                        ))}
                      </select>
                    );
                  },
                },
                {
                  key: "factor",
                  title: "Second factor",
                  cell: (row) =>
                    row.second_factor ? (
                      <>
                        <span class="badge badge-good">on</span>
                        {project === null && row.id !== session?.user?.id ? (
                          <Button
                            small
                            look="plain"
                            aria-label={`Take ${row.name}'s second factor away`}
                            onClick={() =>
                              void confirmed(
                                `Take ${row.name}'s second factor away, because they have lost it? Their password alone signs them in then.`,
                                () => api.patch(`/api/v1/users/${encodeURIComponent(row.id)}`, { second_factor: false }),
                                people.retry,
                              )
                            }
                          >
                            Lost
                          </Button>
                        ) : null}
                      </>
                    ) : (
                      <span class="badge">off</span>
                    ),
                },
                { key: "since", title: "Since", oneLine: true, cell: (row) => moment(row.created_at) },
                {
                  key: "remove",
                  title: <span class="sr-only">Remove</span>,
                  end: true,
                  cell: (row) =>
                    project === null ? (
                      <Button
                        small
                        look="danger"
                        aria-label={`Remove ${row.name}`}
                        onClick={() => void confirmed(`Remove ${row.name}'s account? They are signed out at once.`, () => api.del(`/api/v1/users/${encodeURIComponent(row.id)}`), people.retry)}
                      >
                        Remove
                      </Button>
                    ) : here(row) ? (
                      <Button
                        small
                        look="danger"
                        aria-label={`Take ${row.name} out of the project`}
                        onClick={() => void confirmed(`Take ${row.name} out of ${project}?`, () => change(row, row.grants.filter((each) => each.project !== project)), people.retry)}
                      >
                        Take out
                      </Button>
                    ) : null,
                },
              ]}
              rows={list}
              rowKey={(row) => row.id}
            />
          )}
        </Loadable>
      </Section>
      <Section title="Invite somebody" hint="weir sends no mail: give them the link yourself. It works once, and not for long.">
        {link ? <Secret text={link} what="The invitation's link." onDone={() => setLink(null)} /> : null}
        <SaveForm saving={saving} button="Make the link" onSave={invite}>
          <TextField label="E-mail" type="email" value={email} onText={setEmail} required />
          <div class="form-row">
            <SelectField label="Role" choices={roles} value={role} onChoice={setRole} />
            {project === null ? (
              <SelectField
                label="Project"
                choices={[{ value: "", label: "All projects" }, ...(session?.projects ?? []).map((each) => ({ value: each.name, label: each.name }))]}
                value={of}
                onChoice={setOf}
              />
            ) : null}
          </div>
        </SaveForm>
        <Loadable loaded={invitations} what="The invitations">
          {(list) =>
            list.length === 0 ? null : (
              <Table
                stacks
                caption="Open invitations"
                columns={[
                  { key: "email", title: "Invited", cell: (row) => row.email },
                  { key: "role", title: "As", cell: (row) => grantText(row) },
                  { key: "until", title: "Until", oneLine: true, cell: (row) => moment(row.expires_at) },
                  {
                    key: "delete",
                    title: <span class="sr-only">Take back</span>,
                    end: true,
                    cell: (row) => (
                      <Button
                        small
                        look="danger"
                        aria-label={`Take back the invitation of ${row.email}`}
                        onClick={() => void confirmed(`Take back the invitation of ${row.email}?`, () => api.del(`/api/v1/invitations/${encodeURIComponent(row.id)}`), invitations.retry)}
                      >
                        Take back
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
      </Section>
      {project === null ? <PolicySection /> : null}
    </>
  );
}
