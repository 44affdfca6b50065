import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { navigate, projectPath } from "../../state/router";
import { loadSession } from "../../state/session";
import { useSaving } from "../../state/useSaving";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { TimeZoneField, viewersZone } from "../settings/TimeZoneField";

export function NewProject({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [zone, setZone] = useState(viewersZone());
  const saving = useSaving();
  const create = () =>
    saving.save(async () => {
      await api.post("/api/v1/projects", { name, time_zone: zone });
      await loadSession();
      navigate(projectPath(name, "/settings/snippet"));
    });
  return (
    <Dialog title="New project" onClose={onClose}>
      <SaveForm saving={saving} button="Create" onSave={create} more={<Button onClick={onClose}>Cancel</Button>}>
        <TextField
          label="Name"
          hint="What senders call it: letters, digits, and . _ - ; a site's domain is good."
          value={name}
          onText={setName}
          pattern="[A-Za-z0-9._\-]{1,64}"
          maxLength={64}
          spellcheck={false}
          autocapitalize="none"
          autofocus
          required
        />
        <TimeZoneField value={zone} onChoice={setZone} hint="Its days begin and end in this zone." />
      </SaveForm>
    </Dialog>
  );
}
