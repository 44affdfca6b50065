import { Dialog } from "../../ui/Dialog";
import { KEY_HELP } from "../keys";

export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="key-help">
        {KEY_HELP.map((entry) => (
          <div key={entry.keys}>
            <dt>
              {entry.keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{entry.does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
