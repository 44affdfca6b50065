import { EmptyState } from "../ui/States";

export function NotFoundPage() {
  return (
    <EmptyState title="There is no such page">
      <p>
        The address leads nowhere. <a href="/ui/">All projects</a>
      </p>
    </EmptyState>
  );
}
