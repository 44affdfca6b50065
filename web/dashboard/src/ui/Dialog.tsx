import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./Button";
import { Icon } from "./Icon";

// A modal window over the page while it is mounted. Esc, the cross and a click beside it ask `onClose`; the focus goes back to
// where it was.
export function Dialog({
  title,
  wide,
  actions,
  onClose,
  children,
}: {
  title: ComponentChildren;
  wide?: boolean;
  actions?: ComponentChildren; // beside the title
  onClose: () => void;
  children: ComponentChildren;
}) {
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current!;
    const opener = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      // The browser does this itself for a dialog that still stands in the page; this one may have left it.
      const lost = document.activeElement === document.body || dialog.contains(document.activeElement);
      if (lost && opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        {actions}
        <Button look="plain" icon small aria-label="Close" onClick={onClose}>
          <Icon name="cross" />
        </Button>
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
