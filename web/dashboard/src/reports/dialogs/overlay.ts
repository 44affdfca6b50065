import type { Filter } from "../../api/types";

// What may lie over the page. The detail view has an address of its own; these come and go.
export type Overlay =
  | { kind: "filter"; filter: Filter | null } // null: a new one
  | { kind: "range" | "comparison" | "segment" | "help" | "palette" | "annotate" }
  | { kind: "number"; metric: string };
