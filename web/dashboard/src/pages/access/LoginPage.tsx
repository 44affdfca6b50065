import { useEffect, useState } from "preact/hooks";
import { api, asApiError, type ApiError } from "../../api/client";
import type { Session } from "../../api/types";
import { navigate, useLocation } from "../../state/router";
import { setSession, useSession } from "../../state/session";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { TakesFocus } from "../../ui/TakesFocus";
import { AccessCard, FormError } from "./AccessCard";

// Where to go once signed in: a page of ours, never another site's.
export function nextPage(search: string): string {
  const next = new URLSearchParams(search).get("next") ?? "";
  return /^\/ui(\/(?!\/)|\?|$)/.test(next) && !next.startsWith("/ui/login") ? next : "/ui/";
}

export function LoginPage() {
  const { search } = useLocation();
  const session = useSession();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const signedIn = session?.user !== null && session !== null;
  useEffect(() => {
    if (signedIn) navigate(nextPage(search), { replace: true });
  }, [signedIn]);

  const signIn = async () => {
    setBusy(true);
    setError(null);
    try {
      setSession(await api.post<Session>("/api/v1/session", { email: email.trim(), password, ...(asksCode ? { code: code.trim() } : {}) }));
    } catch (why) {
      const problem = asApiError(why);
      if (problem.code === "second_factor" && !asksCode) setAsksCode(true);
      else setError(problem);
    }
    setBusy(false);
  };
  return (
    <AccessCard title="Sign in">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        {asksCode ? (
          <TakesFocus key="code">
            <TextField
              label="Code of your authenticator"
              hint="Six digits; or one of your recovery codes."
              value={code}
              onText={setCode}
              autocomplete="one-time-code"
              inputMode="text"
              spellcheck={false}
              required
            />
          </TakesFocus>
        ) : (
          <TakesFocus key="password">
            <TextField label="E-mail" type="email" value={email} onText={setEmail} autocomplete="username" required />
            <TextField label="Password" type="password" value={password} onText={setPassword} autocomplete="current-password" required />
          </TakesFocus>
        )}
        <FormError error={error} />
        <Button look="primary" type="submit" busy={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </Button>
        {asksCode ? (
          <Button
            look="plain"
            onClick={() => {
              setAsksCode(false);
              setCode("");
              setError(null);
            }}
          >
            Back
          </Button>
        ) : null}
      </form>
      {session?.setup_needed ? (
        <p class="access-lead">
          Nobody has an account yet. <code>weir serve</code> printed a set-up link when it started; open that.
        </p>
      ) : null}
    </AccessCard>
  );
}
