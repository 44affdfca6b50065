import { api } from "./client";
import { QUERY_PATH, type Filter } from "./types";

// POST /api/v1/query (docs/query.md).

export type DateRange = string | [from: string, to: string];

export interface Comparisons {
  mode: "previous_period" | "year_over_year" | "custom";
  date_range?: [string, string];
  match_day_of_week?: boolean;
}

export interface Query {
  site_id: string;
  metrics: string[];
  date_range: DateRange;
  relative_date?: string;
  dimensions?: string[];
  filters?: Filter[];
  order_by?: [string, "asc" | "desc"][];
  include?: {
    time_labels?: boolean;
    total_rows?: boolean;
    comparisons?: Comparisons;
    coverage?: boolean;
    sql?: boolean;
  };
  pagination?: { limit: number; offset: number };
  timezone?: string;
  traffic?: string[];
  accuracy?: "exact" | "fast" | "sampled";
  more_follow?: boolean;
}

export interface Money {
  value: number;
  currency: string;
  short: string;
  long: string;
}
export type MetricValue = number | Money | null;
export type DimensionValue = string | number;

export interface ResultRow {
  dimensions: DimensionValue[];
  metrics: MetricValue[];
  error_bounds?: (number | null)[]; // of an estimate, in each metric's own unit
  comparison?: { dimensions?: DimensionValue[]; metrics: MetricValue[]; change: (number | null)[] };
}

export interface Meta {
  time_labels?: string[];
  time_label_result_indices?: (number | null)[];
  partial_time_labels?: string[] | null;
  comparison_time_labels?: string[];
  comparison_range?: [string, string];
  total_rows?: number;
  complete_to?: string | null;
  coverage?: Record<string, number>;
  exact?: boolean;
  error_bound?: number | null;
  sampled?: number | null; // the share of visitors that was looked at; else all were
  sql?: string[];
  elapsed_ms?: number;
  warnings?: string[];
}

export interface Answer {
  results: ResultRow[];
  meta: Meta;
  query: { date_range: [string, string]; timezone?: string; dimensions?: string[]; [other: string]: unknown };
}

export const ask = (query: Query, signal?: AbortSignal): Promise<Answer> => api.post<Answer>(QUERY_PATH, query, { signal });
// What weir is asked first where an exact answer may take long: then it is an estimate (meta.sampled).
export const askingFirst = (query: Query): Query => ({ ...query, accuracy: "sampled" });
