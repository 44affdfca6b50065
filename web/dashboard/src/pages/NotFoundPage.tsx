import { useEffect } from "preact/hooks";
import { EmptyState } from "../ui/States";

export function NotFoundPage() {
  useEffect(() => {
    document.title = "No such page · weir";
  }, []);
  return (
    <EmptyState page title="There is no such page">
      <p>
        The address leads nowhere. <a href="/ui/">All projects</a>
      </p>
    </EmptyState>
  );
}
