// What the API answers (docs/http-api.md).
import type { ZoneClock } from "../format/days";

export const QUERY_PATH = "/api/v1/query";

export type Role = "owner" | "admin" | "editor" | "viewer";

export interface SessionProject {
  id: string;
  name: string;
  time_zone: string;
  clock: ZoneClock | null; // of that zone; null: not told
  role: Role;
}

export interface SessionUser {
  id: string;
  email: string;
  name: string;
  role: Role | null; // of all projects; null: only of some
  second_factor: boolean;
  second_factor_required: boolean;
}

export interface Session {
  user: SessionUser | null;
  share: { project: string; segment: Filter[] | null } | null;
  csrf: string;
  setup_needed: boolean;
  projects: SessionProject[];
  version: string;
}

// A filter of the query language, as it goes over the wire.
export type Filter = FilterLeaf | ["and" | "or", Filter[]] | ["not" | "has_done" | "has_not_done", Filter];
export type FilterLeaf =
  | [operator: string, dimension: string, values: (string | number)[]]
  | [operator: string, dimension: string, values: (string | number)[], options: { case_sensitive: boolean }];
