import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./Icon";

export type MenuEntry =
  | { kind?: "item"; key: string; title: ComponentChildren; hint?: string; checked?: boolean; href?: string; onPick?: () => void }
  | { kind: "rule" }
  | { kind: "title"; title: string };

// A button that opens a list. Arrow keys move, Enter picks, Esc closes and gives the focus back.
export function Menu({
  label,
  title,
  entries,
  start,
  small,
  plain,
  chevron = true,
  shortcut,
}: {
  label: string; // what it is for, spoken before the title
  title: ComponentChildren; // what the button shows
  entries: readonly MenuEntry[];
  start?: boolean; // the list begins at the button's start
  small?: boolean;
  plain?: boolean;
  chevron?: boolean;
  shortcut?: string; // aria-keyshortcuts
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>(".menu-item") ?? [])];
  const close = (back: boolean) => {
    setOpen(false);
    if (back) root.current?.querySelector<HTMLElement>("button")?.focus();
  };
  // At once: keys that follow quickly are for the list.
  useLayoutEffect(() => {
    if (!open) return;
    const all = items();
    (all.find((item) => item.getAttribute("aria-checked") === "true") ?? all[0])?.focus();
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("mousedown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("mousedown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      setOpen(true);
      return;
    }
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    if (event.key === "Escape") close(true);
    else if (event.key === "Tab") return close(false);
    else if (event.key in next) all[(next[event.key]! + all.length) % all.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={start ? "menu menu-start" : "menu"} ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class={["button", plain ? "button-plain" : "button-normal", small && "button-small"].filter(Boolean).join(" ")}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-keyshortcuts={shortcut}
        onClick={() => setOpen(!open)}
      >
        {label ? <span class="sr-only">{label}</span> : null}
        {title}
        {chevron ? <Icon name="down" size={12} /> : null}
      </button>
      {open ? (
        <div class="menu-list" role="menu" aria-label={label}>
          {entries.map((entry, index) => {
            if (entry.kind === "rule") return <div key={index} class="menu-rule" role="separator" />;
            if (entry.kind === "title")
              return (
                <div key={index} class="menu-title" role="presentation">
                  {entry.title}
                </div>
              );
            const pick = () => {
              close(true);
              entry.onPick?.();
            };
            const shared = { class: "menu-item", tabIndex: -1, onClick: pick };
            const inner = (
              <>
                <span>{entry.title}</span>
                {entry.hint ? <kbd aria-hidden="true">{entry.hint}</kbd> : null}
              </>
            );
            return entry.href ? (
              <a key={entry.key} {...shared} role="menuitem" href={entry.href}>
                {inner}
              </a>
            ) : (
              <button
                key={entry.key}
                {...shared}
                type="button"
                role={entry.checked === undefined ? "menuitem" : "menuitemradio"}
                aria-checked={entry.checked}
              >
                {inner}
              </button>
            );
          })}
        </div>
      ) : null}
    </div>
  );
}
