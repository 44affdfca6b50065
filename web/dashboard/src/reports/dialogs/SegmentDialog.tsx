import { useState } from "preact/hooks";
import { inWords } from "../../state/filters";
import { addItem } from "../../state/items";
import { useProject } from "../../state/project";
import { mayAs } from "../../state/session";
import { useSaving } from "../../state/useSaving";
import { Dialog } from "../../ui/Dialog";
import { CheckField, TextField } from "../../ui/Field";
import { SaveForm } from "../../ui/SaveForm";
import { SavedItems } from "./SavedItems";

// The filters in force under a name, to be had again with one click.
export function SegmentDialog({ onClose }: { onClose: () => void }) {
  const { project, state, items, segmentName, go } = useProject();
  const mayShare = mayAs(project, "editor");
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const saving = useSaving();
  const save = () =>
    saving.save(async () => {
      const made = await addItem("segments", project.name, { name: name.trim(), personal: !shared, filters: state.filters });
      items.reload();
      go({ filters: [["is", "segment", [made.id]]] });
      onClose();
    });
  return (
    <Dialog title="Save as a segment" onClose={onClose}>
      <SaveForm saving={saving} button="Save" onSave={save}>
        <ul class="segment-filters">
          {state.filters.map((filter) => (
            <li key={JSON.stringify(filter)}>{inWords(filter, { segment: segmentName })}</li>
          ))}
        </ul>
        <TextField label="Name" value={name} onText={setName} maxLength={100} required autofocus />
        {mayShare ? <CheckField label="For everybody in this project" checked={shared} onCheck={setShared} /> : null}
      </SaveForm>
      <SavedItems kind="segments" label="Saved segments" items={items.segments} mayDelete={(segment) => segment.owner !== null || mayShare}>
        {(segment) => (
          <>
            <strong>{segment.name}</strong> <span class="badge">{segment.owner ? "mine" : "everybody's"}</span>
          </>
        )}
      </SavedItems>
    </Dialog>
  );
}
