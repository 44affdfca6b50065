import type { ButtonHTMLAttributes, ComponentChildren } from "preact";

export type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "size" | "icon" | "class" | "disabled"> & {
  class?: string;
  disabled?: boolean;
  look?: "normal" | "primary" | "danger" | "plain";
  small?: boolean;
  icon?: boolean; // holds an icon only; give it an aria-label
  busy?: boolean; // its work is under way: it takes no clicks
  children?: ComponentChildren;
};

// type="button" unless told otherwise: only a form's own button sends it. A busy button keeps the focus, which the browser would
// take from a disabled one.
export function Button({ look = "normal", small, icon, busy, class: extra, onClick, children, ...rest }: ButtonProps) {
  const classes = ["button", `button-${look}`, small && "button-small", icon && "button-icon", extra];
  return (
    <button
      type="button"
      {...rest}
      class={classes.filter(Boolean).join(" ")}
      aria-busy={busy ? "true" : undefined}
      aria-disabled={busy ? "true" : undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {children}
    </button>
  );
}
