import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

// Takes the focus as it comes: to its first field, else to itself. For what replaces the button that brought it, so that the
// keyboard goes on from here and not from the page's beginning.
export function TakesFocus({ role, children }: { role?: "alert"; children: ComponentChildren }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    (element.current?.querySelector<HTMLElement>("input") ?? element.current)?.focus();
  }, []);
  return (
    <div class="takes-focus" role={role} tabIndex={-1} ref={element}>
      {children}
    </div>
  );
}
