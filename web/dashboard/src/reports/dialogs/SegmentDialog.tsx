import { useState } from "preact/hooks";
import { asApiError } from "../../api/client";
import { inWords } from "../../state/filters";
import { addItem, removeItem } from "../../state/items";
import { useProject } from "../../state/project";
import { mayAs } from "../../state/session";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { CheckField, TextField } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { toast } from "../../ui/Toast";

// The filters in force under a name, to be had again with one click.
export function SegmentDialog({ onClose }: { onClose: () => void }) {
  const { project, state, items, segmentName, go } = useProject();
  const mayShare = mayAs(project, "editor");
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!name.trim()) return setError("Give it a name");
    setBusy(true);
    try {
      const made = await addItem("segments", project.name, { name: name.trim(), personal: !shared, filters: state.filters });
      items.reload();
      go({ filters: [["is", "segment", [made.id]]] });
      onClose();
    } catch (why) {
      setError(asApiError(why).message);
      setBusy(false);
    }
  };
  const remove = async (id: string) => {
    try {
      await removeItem("segments", id);
      items.reload();
    } catch (why) {
      toast(asApiError(why).message, "bad");
    }
  };
  return (
    <Dialog title="Save as a segment" onClose={onClose}>
      <form class="form" onSubmit={save}>
        <ul class="segment-filters">
          {state.filters.map((filter) => (
            <li key={JSON.stringify(filter)}>{inWords(filter, { segment: segmentName })}</li>
          ))}
        </ul>
        <TextField label="Name" value={name} onText={setName} maxLength={100} error={error} required autofocus />
        {mayShare ? <CheckField label="For everybody in this project" checked={shared} onCheck={setShared} /> : null}
        <div class="form-actions">
          <Button look="primary" type="submit" busy={busy}>
            Save
          </Button>
        </div>
      </form>
      {items.segments.length > 0 ? (
        <ul class="note-list" aria-label="Saved segments">
          {items.segments.map((segment) => (
            <li key={segment.id}>
              <span>
                <strong>{segment.name}</strong> {segment.owner ? "yours" : "everybody's"}
              </span>
              {segment.owner || mayShare ? (
                <Button icon small look="plain" aria-label={`Delete: ${segment.name}`} onClick={() => void remove(segment.id)}>
                  <Icon name="bin" />
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      ) : null}
    </Dialog>
  );
}
