import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { ApiError } from "../../api/client";
import "./access.css";

export function AccessCard({ title, lead, children }: { title: string; lead?: ComponentChildren; children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · weir`;
  }, [title]);
  return (
    <section class="card access">
      <h1>{title}</h1>
      {lead ? <p class="access-lead">{lead}</p> : null}
      {children}
    </section>
  );
}

// What the server said, where it belongs to no single field.
export function FormError({ error }: { error: ApiError | null }) {
  if (!error) return null;
  const wait = error.retryAfterSeconds ? ` Try again in ${error.retryAfterSeconds} s.` : "";
  return (
    <p class="field-error" role="alert">
      {error.message}
      {wait}
    </p>
  );
}

export const PASSWORD_HINT = "At least 12 characters; a few words are good.";

// The secret behind # of the page's address, which no server sees.
export const tokenOf = (hash: string): string => {
  try {
    return decodeURIComponent(hash.replace(/^#/, ""));
  } catch {
    return "";
  }
};
