import { useState } from "preact/hooks";
import { api, asApiError, type ApiError } from "../../api/client";
import { navigate, projectPath } from "../../state/router";
import { loadSession } from "../../state/session";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { TimeZoneField, viewersZone } from "../settings/TimeZoneField";

export function NewProject({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [zone, setZone] = useState(viewersZone());
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const create = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.post("/api/v1/projects", { name, time_zone: zone });
      await loadSession();
      navigate(projectPath(name, "/settings/snippet"));
    } catch (why) {
      setError(asApiError(why));
      setBusy(false);
    }
  };
  return (
    <Dialog title="New project" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <TextField
          label="Name"
          hint="What senders call it: letters, digits, and . _ - ; a site's domain is good."
          value={name}
          onText={setName}
          pattern="[A-Za-z0-9._\-]{1,64}"
          maxLength={64}
          spellcheck={false}
          autocapitalize="none"
          required
          error={error?.message}
        />
        <TimeZoneField value={zone} onChoice={setZone} hint="Its days begin and end in this zone." />
        <div class="form-actions">
          <Button look="primary" type="submit" busy={busy}>
            Create
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
