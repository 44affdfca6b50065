import { useState } from "preact/hooks";
import { api, asApiError, type ApiError } from "../../api/client";
import type { Role, Session } from "../../api/types";
import { navigate, projectPath, useLocation } from "../../state/router";
import { setSession, useSession } from "../../state/session";
import { useLoad } from "../../state/useLoad";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { ErrorState, Skeleton } from "../../ui/States";
import { AccessCard, FormError, PASSWORD_HINT, tokenOf } from "./AccessCard";

interface Invitation {
  email: string;
  role: Role;
  project: string | null;
  has_account: boolean; // somebody signs in with this address already
}

// An invited person's account, by the link they were given.
export function InvitePage() {
  const session = useSession();
  const { hash } = useLocation();
  const [token] = useState(() => tokenOf(hash));
  const looked = useLoad(token || null, (signal) => api.post<Invitation>("/api/v1/invitations/look", { token }, { signal }));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);

  if (!token) return <ErrorState what="This link is not whole" message="An invitation's link has a part behind #. Ask for it again." />;
  if (looked.error?.passing) return <ErrorState what="The invitation could not be read" message={looked.error.message} onRetry={looked.retry} />;
  if (looked.error)
    return (
      <AccessCard title="This invitation does not work" lead={looked.error.message}>
        <p>It was used already, taken back, or is too old. Who invited you can make a new one.</p>
      </AccessCard>
    );
  if (!looked.data) return <Skeleton lines={4} height={2} label="Reading the invitation" />;
  const { email, role, project, has_account: hasAccount } = looked.data;
  const isThem = session?.user?.email === email;
  const accept = async () => {
    setBusy(true);
    setError(null);
    try {
      setSession(await api.post<Session>("/api/v1/invitations/accept", hasAccount ? { token } : { token, name: name.trim(), password }));
      navigate(project ? projectPath(project) : "/ui/", { replace: true });
    } catch (why) {
      setError(asApiError(why));
      setBusy(false);
    }
  };
  if (hasAccount && !isThem)
    return (
      <AccessCard
        title="You are invited"
        lead={
          <>
            <strong>{email}</strong> has an account here already.
          </>
        }
      >
        <p>Sign in with it, then open this link again.</p>
        <a class="button button-primary" href="/ui/login">
          Sign in
        </a>
      </AccessCard>
    );
  return (
    <AccessCard
      title="You are invited"
      lead={
        <>
          As {role} of {project ? <strong>{project}</strong> : "all projects"}, with the address <strong>{email}</strong>.
        </>
      }
    >
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void accept();
        }}
      >
        {hasAccount ? null : (
          <>
            <input type="hidden" name="username" autocomplete="username" value={email} />
            <TextField label="Your name" value={name} onText={setName} autocomplete="name" required />
            <TextField label="Password" hint={PASSWORD_HINT} type="password" value={password} onText={setPassword} autocomplete="new-password" required />
          </>
        )}
        <FormError error={error} />
        <Button look="primary" type="submit" busy={busy}>
          Join
        </Button>
      </form>
    </AccessCard>
  );
}
