import type { ComponentChildren } from "preact";
import { asApiError } from "../../api/client";
import type { Loaded } from "../../state/useLoad";
import { Button } from "../../ui/Button";
import { ErrorState, Skeleton } from "../../ui/States";
import { TakesFocus } from "../../ui/TakesFocus";
import { toast } from "../../ui/Toast";
import type { Column } from "../../ui/Table";

export function Section({ title, hint, actions, danger, children }: { title: string; hint?: ComponentChildren; actions?: ComponentChildren; danger?: boolean; children: ComponentChildren }) {
  return (
    <section class={danger ? "card section danger" : "card section"} aria-label={title} tabIndex={-1}>
      <div class="section-head">
        <h2>{title}</h2>
        {actions}
      </div>
      {hint ? <p class="soft">{hint}</p> : null}
      {children}
    </section>
  );
}

// What was asked for, or that it is on its way, or why it is not there.
export function Loadable<T>({ loaded, what, children }: { loaded: Loaded<T>; what: string; children: (data: T) => ComponentChildren }) {
  if (loaded.error) return <ErrorState what={`${what} could not be read`} message={loaded.error.message} onRetry={loaded.retry} />;
  if (loaded.data === null) return <Skeleton lines={3} height={1.6} label={`Loading: ${what}`} />;
  return <>{children(loaded.data)}</>;
}

// The focus to the section around an element that is about to go.
export const toSection = (element: Element | null) => element?.closest<HTMLElement>("section[tabindex]")?.focus({ preventScroll: true });

// Asks once more, changes, and says when it did not work. The button may go with its row.
export async function confirmed(question: string, change: () => Promise<unknown>, after: () => void): Promise<void> {
  if (!window.confirm(question)) return;
  const button = document.activeElement;
  try {
    await change();
    toSection(button);
    after();
  } catch (why) {
    toast(asApiError(why).message, "bad");
  }
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied");
    } catch {
      toast("This browser does not let a page copy here; select the text instead", "bad");
    }
  };
  return (
    <Button small onClick={() => void copy()}>
      {label}
    </Button>
  );
}

// A secret that is shown this once.
export function Secret({ text, what, onDone }: { text: string; what: string; onDone: () => void }) {
  return (
    <TakesFocus role="alert">
      <p>
        <strong>{what}</strong> It is shown this once; weir keeps its hash alone.
      </p>
      <div class="secret">
        <code>{text}</code>
        <CopyButton text={text} />
        <Button
          small
          onClick={(event) => {
            toSection(event.currentTarget);
            onDone();
          }}
        >
          Done
        </Button>
      </div>
    </TakesFocus>
  );
}

// What a table's last column deletes: the row's name for those who hear it, the question asked before, the change.
interface Deletion {
  label: string;
  question: string;
  act: () => Promise<unknown>;
  after: () => void;
}

export function deleteColumn<Row>(of: (row: Row) => Deletion): Column<Row> {
  return {
    key: "delete",
    title: <span class="sr-only">Delete</span>,
    end: true,
    cell: (row) => {
      const { label, question, act, after } = of(row);
      return (
        <Button small look="danger" aria-label={label} onClick={() => void confirmed(question, act, after)}>
          Delete
        </Button>
      );
    },
  };
}
