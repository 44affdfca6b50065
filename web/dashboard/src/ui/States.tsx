import type { ComponentChildren } from "preact";
import { Button } from "./Button";

// Nothing here yet: says so, and what to do about it. `page`: it is all that the page has.
export function EmptyState({ title, page, children }: { title: string; page?: boolean; children?: ComponentChildren }) {
  return (
    <div class="state">
      {page ? <h1>{title}</h1> : <p class="state-title">{title}</p>}
      {children}
    </div>
  );
}

// What failed, in the server's words, and a way to try again.
export function ErrorState({ what, message, onRetry }: { what: string; message: string; onRetry?: () => void }) {
  return (
    <div class="state" role="alert">
      <p class="state-title state-error">{what}</p>
      <p>{message}</p>
      {onRetry ? (
        <Button small onClick={onRetry}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}

// A place held for what is on its way. Heights in rem; several lines shrink towards the end, as lists do. The page as it is served
// has some, and its policy takes no styles from there: hence pictures, which have a size of their own.
export function Skeleton({ lines = 1, height = 1.2, label = "Loading" }: { lines?: number; height?: number; label?: string }) {
  return (
    <div class="skeleton-lines" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, index) => (
        <svg key={index} class="skeleton" aria-hidden="true" height={`${height}rem`} width={`${100 - index * (60 / Math.max(lines, 1))}%`} />
      ))}
    </div>
  );
}
