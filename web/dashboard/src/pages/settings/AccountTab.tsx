import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { moment } from "../../format/dates";
import { programOf } from "../../format/program";
import { loadSession, useSession } from "../../state/session";
import { useLoad } from "../../state/useLoad";
import { useSaving } from "../../state/useSaving";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { SaveForm, SavingError } from "../../ui/SaveForm";
import { Table } from "../../ui/Table";
import { TakesFocus } from "../../ui/TakesFocus";
import { toast } from "../../ui/Toast";
import { PASSWORD_HINT } from "../access/AccessCard";
import { Qr } from "./Qr";
import { confirmed, CopyButton, Loadable, Section, toSection } from "./Section";

interface Account {
  id: string;
  email: string;
  name: string;
  second_factor: boolean;
  recovery_codes_left: number;
}
interface SignedIn {
  id: string;
  created_at: string;
  seen_at: string;
  address: string;
  agent: string;
  current: boolean;
}

function ProfileForm({ account, onSaved }: { account: Account; onSaved: () => void }) {
  const [name, setName] = useState(account.name);
  const [email, setEmail] = useState(account.email);
  const [password, setPassword] = useState("");
  const saving = useSaving();
  const moved = email.trim() !== account.email;
  const save = async () => {
    const change = { name: name.trim(), ...(moved ? { email: email.trim(), current_password: password } : {}) };
    if (!(await saving.save(() => api.patch("/api/v1/account", change)))) return;
    setPassword("");
    toast("Saved");
    onSaved();
  };
  return (
    <SaveForm saving={saving} button="Save" onSave={save}>
      <TextField label="Name" value={name} onText={setName} autocomplete="name" required />
      <TextField label="E-mail" hint="You sign in with it." type="email" value={email} onText={setEmail} autocomplete="username" required />
      {moved ? <TextField label="Your password" type="password" value={password} onText={setPassword} autocomplete="current-password" required /> : null}
    </SaveForm>
  );
}

function PasswordForm({ onSaved }: { onSaved: () => void }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const saving = useSaving();
  const save = async () => {
    if (!(await saving.save(() => api.patch("/api/v1/account", { current_password: current, password: next })))) return;
    setCurrent("");
    setNext("");
    toast("The password is changed; other sessions are signed out");
    onSaved();
  };
  return (
    <SaveForm saving={saving} button="Change the password" look="normal" onSave={save}>
      <TextField label="Present password" type="password" value={current} onText={setCurrent} autocomplete="current-password" required />
      <TextField label="New password" hint={PASSWORD_HINT} type="password" value={next} onText={setNext} autocomplete="new-password" required />
    </SaveForm>
  );
}

function SecondFactor({ on, codesLeft, required, onChanged }: { on: boolean; codesLeft: number; required: boolean; onChanged: () => void }) {
  const [offered, setOffered] = useState<{ secret: string; uri: string } | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const [ending, setEnding] = useState(false);
  const saving = useSaving();
  const begin = () =>
    saving.save(async () => {
      setOffered(await api.post<{ secret: string; uri: string }>("/api/v1/account/second-factor"));
    });
  const confirm = () =>
    saving.save(async () => {
      const answer = await api.post<{ recovery_codes: string[] }>("/api/v1/account/second-factor/confirm", { code: code.trim() });
      setCodes(answer.recovery_codes);
      setOffered(null);
      setCode("");
      onChanged();
    });
  const end = () =>
    saving.save(async () => {
      await api.del("/api/v1/account/second-factor", { json: { current_password: password } });
      setEnding(false);
      setPassword("");
      toast("The second factor is off");
      onChanged();
    });
  const cancel = (away: () => void) => (
    <Button
      onClick={(event) => {
        toSection(event.currentTarget);
        away();
      }}
    >
      Cancel
    </Button>
  );
  if (codes)
    return (
      <TakesFocus role="alert">
        <p>
          <strong>The second factor is on.</strong> Keep these recovery codes where your phone is not: each signs you in once without it. They are shown this once.
        </p>
        <ul class="codes snippet">
          {codes.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
        <div class="form-actions">
          <CopyButton text={codes.join("\n")} label="Copy the codes" />
          <Button
            look="primary"
            onClick={(event) => {
              toSection(event.currentTarget);
              setCodes(null);
            }}
          >
            I have kept them
          </Button>
        </div>
      </TakesFocus>
    );
  if (offered)
    return (
      <TakesFocus>
        <SaveForm saving={saving} button="Turn it on" onSave={confirm} more={cancel(() => setOffered(null))}>
          <p>Take it up with an authenticator (on your phone, or your password manager), then type the code it shows.</p>
          <Qr text={offered.uri} title="The secret, for your authenticator to read" />
          <p class="soft">
            Or type it: <code>{offered.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
          </p>
          <TextField label="Code" value={code} onText={setCode} inputMode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}" required />
        </SaveForm>
      </TakesFocus>
    );
  if (on)
    return (
      <>
        <p>
          <span class="badge badge-good">on</span> Signing in asks for a code besides your password. {codesLeft === 1 ? "One recovery code is" : `${codesLeft} recovery codes are`}{" "}
          left; for new ones turn it off and on again.
        </p>
        {ending ? (
          <TakesFocus>
            <SaveForm saving={saving} button="Turn it off" look="danger" onSave={end} more={cancel(() => setEnding(false))}>
              <TextField label="Your password" type="password" value={password} onText={setPassword} autocomplete="current-password" required />
            </SaveForm>
          </TakesFocus>
        ) : (
          <div class="form-actions">
            <Button look="danger" onClick={() => setEnding(true)}>
              Turn it off…
            </Button>
          </div>
        )}
      </>
    );
  return (
    <>
      {required ? <p class="notice">This weir asks everybody for a second factor: until you have one, nothing else is open to you.</p> : null}
      <p>A code from your phone besides the password: who learns the password alone does not get in.</p>
      <SavingError saving={saving} />
      <div class="form-actions">
        <Button look="primary" busy={saving.busy} onClick={() => void begin()}>
          Set it up
        </Button>
      </div>
    </>
  );
}

export function AccountTab() {
  const session = useSession();
  const account = useLoad("account", (signal) => api.get<Account>("/api/v1/account", { signal }));
  const sessions = useLoad("sessions", async (signal) => (await api.get<{ sessions: SignedIn[] }>("/api/v1/account/sessions", { signal })).sessions);
  const changed = () => {
    account.retry();
    sessions.retry();
    void loadSession();
  };
  return (
    <>
      <Section title="You">
        <Loadable loaded={account} what="Your account">
          {(data) => <ProfileForm account={data} onSaved={changed} />}
        </Loadable>
      </Section>
      <Section title="Second factor">
        <Loadable loaded={account} what="Your account">
          {(data) => <SecondFactor on={data.second_factor} codesLeft={data.recovery_codes_left} required={session?.user?.second_factor_required ?? false} onChanged={changed} />}
        </Loadable>
      </Section>
      <Section title="Password">
        <PasswordForm onSaved={changed} />
      </Section>
      <Section title="Where you are signed in">
        <Loadable loaded={sessions} what="Your sessions">
          {(list) => (
            <Table
              stacks
              caption="Sessions"
              columns={[
                {
                  key: "agent",
                  title: "Browser",
                  cell: (row) => (
                    <>
                      <span title={row.agent}>{programOf(row.agent)}</span> {row.current ? <span class="badge badge-good">this one</span> : null}
                    </>
                  ),
                },
                { key: "address", title: "Address", cell: (row) => row.address },
                { key: "created", title: "Since", oneLine: true, cell: (row) => moment(row.created_at) },
                { key: "seen", title: "Last seen", oneLine: true, cell: (row) => moment(row.seen_at) },
                {
                  key: "end",
                  title: <span class="sr-only">Sign out</span>,
                  end: true,
                  cell: (row) =>
                    row.current ? null : (
                      <Button
                        small
                        look="danger"
                        aria-label={`Sign out ${programOf(row.agent)}`}
                        onClick={() => void confirmed("Sign this session out?", () => api.del(`/api/v1/account/sessions/${encodeURIComponent(row.id)}`), sessions.retry)}
                      >
                        Sign out
                      </Button>
                    ),
                },
              ]}
              rows={list}
              rowKey={(row) => row.id}
            />
          )}
        </Loadable>
      </Section>
    </>
  );
}
