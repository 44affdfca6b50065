import { useState } from "preact/hooks";
import { api, asApiError, type ApiError } from "../../api/client";
import type { Session } from "../../api/types";
import { navigate, useLocation } from "../../state/router";
import { setSession, useSession } from "../../state/session";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { AccessCard, FormError, PASSWORD_HINT, tokenOf } from "./AccessCard";

// The first owner's account, by the link that `weir serve` prints.
export function SetupPage() {
  const session = useSession();
  const { hash } = useLocation();
  const [token] = useState(() => tokenOf(hash));
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);

  if (session && !session.setup_needed)
    return (
      <AccessCard title="weir is set up" lead="The first account is there already; this link has done its work.">
        <a class="button button-primary" href={session.user ? "/ui/" : "/ui/login"}>
          {session.user ? "To the projects" : "Sign in"}
        </a>
      </AccessCard>
    );
  if (!token)
    return (
      <AccessCard title="Set up weir" lead="Nobody has an account yet.">
        <p>
          <code>weir serve</code> prints a one-time set-up link when it starts. Open it in this browser, whole, with the part
          behind <code>#</code>. It is printed anew at each start until the first account is made.
        </p>
      </AccessCard>
    );
  const create = async () => {
    setBusy(true);
    setError(null);
    try {
      const made = await api.post<Session>("/api/v1/setup", { token, email: email.trim(), name: name.trim(), password });
      setSession(made);
      navigate("/ui/", { replace: true });
    } catch (why) {
      setError(asApiError(why));
      setBusy(false);
    }
  };
  return (
    <AccessCard title="Set up weir" lead="Make the first account. It is an owner: it may do everything, and invite others.">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <TextField label="Your name" value={name} onText={setName} autocomplete="name" required />
        <TextField label="E-mail" type="email" value={email} onText={setEmail} autocomplete="username" required />
        <TextField label="Password" hint={PASSWORD_HINT} type="password" value={password} onText={setPassword} autocomplete="new-password" required />
        <FormError error={error} />
        <Button look="primary" type="submit" busy={busy}>
          Create the account
        </Button>
      </form>
    </AccessCard>
  );
}
