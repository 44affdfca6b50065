import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { asApiError } from "../../api/client";
import { removeItem, type Items } from "../../state/items";
import { useProject } from "../../state/project";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { toast } from "../../ui/Toast";

interface Saved {
  id: string;
  name: string;
}

// What was saved before, below the form that saves more. `mayDelete`: which of them the viewer can take away.
export function SavedItems<Item extends Saved>({
  kind,
  label,
  items,
  mayDelete,
  children,
}: {
  kind: keyof Items;
  label: string;
  items: readonly Item[];
  mayDelete: (item: Item) => boolean;
  children: (item: Item) => ComponentChildren;
}) {
  const { items: all } = useProject();
  const list = useRef<HTMLUListElement>(null);
  const remove = async (id: string) => {
    try {
      await removeItem(kind, id);
      list.current?.focus(); // the button goes with what it deleted
      all.reload();
    } catch (why) {
      toast(`Not deleted: ${asApiError(why).message}`, "bad");
    }
  };
  if (items.length === 0) return null;
  return (
    <ul class="note-list" aria-label={label} tabIndex={-1} ref={list}>
      {items.map((item) => (
        <li key={item.id}>
          <span>{children(item)}</span>
          {mayDelete(item) ? (
            <Button icon small look="plain" aria-label={`Delete: ${item.name}`} onClick={() => void remove(item.id)}>
              <Icon name="bin" />
            </Button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}
