import { type Change as Shown } from "../state/metrics";

// How a number changed. `size`: where it stands beside a row's number, or under one in a table.
export function Change({ shown, size, title }: { shown: Shown; size?: "small" | "under"; title?: string }) {
  return (
    <span class={size ? `${shown.look} change-${size}` : shown.look} title={title}>
      <span aria-hidden="true">{shown.arrow}</span>
      <span class="sr-only">{shown.spoken}</span> {shown.text}
    </span>
  );
}
