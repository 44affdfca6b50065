import { useEffect, useState } from "preact/hooks";
import { api, asApiError, setShareSession, type ApiError } from "../../api/client";
import type { Session } from "../../api/types";
import { findProject, setSession, useSession } from "../../state/session";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { EmptyState, ErrorState, Skeleton } from "../../ui/States";
import { Dashboard } from "../project/Dashboard";
import type { PageProps } from "../routes";

// A project's page for whoever holds its link: nothing on it can be changed. It may lie in another site's frame.
export function SharePage({ parts }: PageProps) {
  const token = parts.token ?? "";
  const session = useSession();
  const [opened, setOpened] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);

  const open = async (given?: string) => {
    setBusy(true);
    try {
      const body = given === undefined ? { token } : { token, password: given };
      const opened = await api.post<Session & { share_session: string }>("/api/v1/share", body);
      setShareSession(opened.share_session);
      setSession(opened);
      setOpened(true);
      setError(null);
    } catch (why) {
      setError(asApiError(why));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    void open();
    return () => setShareSession("");
  }, [token]);

  if (error?.status === 401)
    return (
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void open(password);
        }}
      >
        <h1>This page has a password</h1>
        <TextField
          label="Password"
          type="password"
          autocomplete="off"
          value={password}
          onText={setPassword}
          error={password !== "" && !busy ? error.message : null}
          required
          autofocus
        />
        <div class="form-actions">
          <Button look="primary" type="submit" busy={busy}>
            Open
          </Button>
        </div>
      </form>
    );
  if (error?.status === 404)
    return (
      <EmptyState page title="This link leads nowhere">
        <p>It may have been taken back, or its time is over. Ask whoever sent it for another.</p>
      </EmptyState>
    );
  if (error) return <ErrorState what="The page could not be opened" message={error.message} onRetry={() => void open()} />;
  const name = session?.share?.project;
  if (!opened || !name) return <Skeleton lines={6} height={2} label="Loading the page" />;
  const project = findProject(session, name) ?? { id: "", name, time_zone: "UTC", clock: null, role: "viewer" };
  return <Dashboard project={project} shared />;
}
