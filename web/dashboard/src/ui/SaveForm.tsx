import type { ComponentChildren } from "preact";
import { Button } from "./Button";

interface Saving {
  busy: boolean;
  error: { message: string } | null;
}

// Without the part of the program that said it.
const plainly = (message: string): string => {
  const text = message.replace(/^(api|settings|query|store): (body: )?/, "");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export function SavingError({ saving }: { saving: Saving }) {
  return saving.error ? (
    <p class="field-error" role="alert">
      {plainly(saving.error.message)}
    </p>
  ) : null;
}

// The fields of one change, what went wrong when it was last tried, and the button that makes it.
export function SaveForm({
  saving,
  button,
  look = "primary",
  disabled,
  more,
  onSave,
  children,
}: {
  saving: Saving;
  button: string;
  look?: "primary" | "normal" | "danger";
  disabled?: boolean; // also for Enter in a field
  more?: ComponentChildren; // beside the button
  onSave: () => unknown;
  children: ComponentChildren;
}) {
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!disabled && !saving.busy) void onSave();
      }}
    >
      {children}
      <SavingError saving={saving} />
      <div class="form-actions">
        <Button look={look} type="submit" busy={saving.busy} disabled={disabled}>
          {button}
        </Button>
        {more}
      </div>
    </form>
  );
}
