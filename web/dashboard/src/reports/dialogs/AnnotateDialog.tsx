import { useState } from "preact/hooks";
import { day } from "../../format/dates";
import { addItem } from "../../state/items";
import { useProject } from "../../state/project";
import { mayAs } from "../../state/session";
import { useSaving } from "../../state/useSaving";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { toast } from "../../ui/Toast";
import { SavedItems } from "./SavedItems";

// Notes at a day of the graph, for everybody in the project: a release, a campaign, a newspaper's article.
export function AnnotateDialog({ onClose }: { onClose: () => void }) {
  const { project, today, items } = useProject();
  const [date, setDate] = useState(today);
  const [text, setText] = useState("");
  const saving = useSaving();
  const save = () =>
    saving.save(async () => {
      await addItem("annotations", project.name, { name: text.trim().slice(0, 80), date, text: text.trim() });
      items.reload();
      toast("Noted");
      onClose();
    });
  return (
    <Dialog title="Notes in the graph" onClose={onClose}>
      <SaveForm saving={saving} button="Add the note" onSave={save}>
        <TextField label="Day" type="date" value={date} max={today} onText={setDate} required />
        <TextField label="What happened" value={text} onText={setText} maxLength={500} required autofocus />
      </SaveForm>
      <SavedItems kind="annotations" label="Notes" items={items.annotations} mayDelete={() => mayAs(project, "editor")}>
        {(note) => (
          <>
            <strong>{day(note.date.slice(0, 10))}</strong> {note.text}
          </>
        )}
      </SavedItems>
    </Dialog>
  );
}
