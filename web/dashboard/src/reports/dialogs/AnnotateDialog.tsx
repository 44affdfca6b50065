import { useState } from "preact/hooks";
import { asApiError } from "../../api/client";
import { day } from "../../format/dates";
import { addItem, removeItem } from "../../state/items";
import { useProject } from "../../state/project";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { CheckField, TextField } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { toast } from "../../ui/Toast";

// Notes at a day of the graph: a release, a campaign, a newspaper's article.
export function AnnotateDialog({ onClose }: { onClose: () => void }) {
  const { project, today, items } = useProject();
  const [date, setDate] = useState(today);
  const [text, setText] = useState("");
  const [personal, setPersonal] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!text.trim()) return setError("Write what happened");
    setBusy(true);
    try {
      await addItem("annotations", project.name, { name: text.trim().slice(0, 80), personal, date, text: text.trim() });
      items.reload();
      toast("Noted");
      onClose();
    } catch (why) {
      setError(asApiError(why).message);
      setBusy(false);
    }
  };
  const remove = async (id: string) => {
    try {
      await removeItem("annotations", id);
      items.reload();
    } catch (why) {
      toast(asApiError(why).message, "bad");
    }
  };
  return (
    <Dialog title="Notes in the graph" onClose={onClose}>
      <form class="form" onSubmit={save}>
        <TextField label="Day" type="date" value={date} max={today} onText={setDate} required />
        <TextField label="What happened" value={text} onText={setText} maxLength={500} error={error} required autofocus />
        <CheckField label="Only I see it" checked={personal} onCheck={setPersonal} />
        <div class="form-actions">
          <Button look="primary" type="submit" busy={busy}>
            Add the note
          </Button>
        </div>
      </form>
      {items.annotations.length > 0 ? (
        <ul class="note-list">
          {items.annotations.map((note) => (
            <li key={note.id}>
              <span>
                <strong>{day(note.date.slice(0, 10))}</strong> {note.text}
              </span>
              <Button icon small look="plain" aria-label={`Delete: ${note.text}`} onClick={() => void remove(note.id)}>
                <Icon name="bin" />
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
    </Dialog>
  );
}
