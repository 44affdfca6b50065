import type { AllHTMLAttributes, ComponentChildren, TextareaHTMLAttributes } from "preact";
import { useId } from "preact/hooks";

interface Around {
  label: string;
  hint?: ComponentChildren;
  error?: string | null;
}

// A label, a control and what is said about it. The control gets the ids that tie them together.
export function Field({
  label,
  hint,
  error,
  children,
}: Around & { children: (control: { id: string; "aria-describedby"?: string; "aria-invalid"?: "true" }) => ComponentChildren }) {
  const id = useId();
  const said = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, "aria-describedby": said || undefined, "aria-invalid": error ? "true" : undefined })}
      {hint ? (
        <div class="field-hint" id={`${id}-hint`}>
          {hint}
        </div>
      ) : null}
      {error ? (
        <div class="field-error" id={`${id}-error`} role="alert">
          {error}
        </div>
      ) : null}
    </div>
  );
}

// `onText` is told the whole text at each key.
export function TextField({
  label,
  hint,
  error,
  onText,
  ...rest
}: Around & Omit<AllHTMLAttributes<HTMLInputElement>, "label" | "role" | "onInput"> & { onText?: (text: string) => void }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <input type="text" {...(rest as object)} {...control} class="input" onInput={(event) => onText?.(event.currentTarget.value)} />
      )}
    </Field>
  );
}

export function TextArea({
  label,
  hint,
  error,
  onText,
  ...rest
}: Around & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "label" | "role" | "onInput"> & { onText?: (text: string) => void }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => <textarea {...(rest)} {...control} class="input" onInput={(event) => onText?.(event.currentTarget.value)} />}
    </Field>
  );
}

export interface Choice {
  value: string;
  label: string;
}

export function SelectField({
  label,
  hint,
  error,
  choices,
  value,
  onChoice,
  ...rest
}: Around &
  Omit<AllHTMLAttributes<HTMLSelectElement>, "label" | "role" | "onChange" | "value"> & {
    choices: readonly Choice[];
    value: string;
    onChoice: (value: string) => void;
  }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <select {...(rest as object)} {...control} class="input" value={value} onChange={(event) => onChoice(event.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField({
  label,
  hint,
  checked,
  onCheck,
  disabled,
}: {
  label: ComponentChildren;
  hint?: ComponentChildren;
  checked: boolean;
  onCheck: (checked: boolean) => void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div class="check">
      <input
        type="checkbox"
        id={id}
        checked={checked}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onCheck(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {hint ? (
          <div class="field-hint" id={`${id}-hint`}>
            {hint}
          </div>
        ) : null}
      </div>
    </div>
  );
}
