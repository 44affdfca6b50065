import type { FilterLeaf } from "./types";

// GET /api/v1/live (docs/http-api.md).

export interface LiveNow {
  visitors: number; // of the last 5 minutes; the others are of the last 30
  visitors_30m: number;
  pageviews_30m: number;
  events_30m: number;
  series: [minute: number, visitors: number, pageviews: number][]; // Unix time of the minute's beginning
  pages: [string, number][];
  sources: [string, number][];
  countries: [string, number][];
}

// The columns of the view `events`; numbers of 64 bits as text.
export interface LiveRow {
  event_id: string;
  name: string;
  kind: string;
  timestamp: string; // "2026-11-20 09:01:00.123", UTC
  received_at: string;
  visitor_id: string;
  session_id: string;
  visit_seq: number;
  path: string;
  country: string;
  region: string;
  city: string;
  browser: string;
  os: string;
  device: string;
  source: string;
  channel: string;
  traffic: string;
  traffic_reason: string;
  properties: Record<string, string>;
  revenue_amount: number | null;
  revenue_currency: string;
  [column: string]: unknown;
}

export type RowFilter = FilterLeaf;

// GET /api/v1/trace
export interface Sighting {
  position: string;
  epoch: number;
  project: string;
  stage: "unknown" | "forgotten" | "damaged" | "waiting" | "stored" | "settled";
  before?: number;
  outcome?: string;
  reason?: string;
  first?: string;
  received_at?: string;
  record?: Record<string, unknown>;
  row?: Record<string, unknown>;
}

// POST /api/v1/explain
export type Explained = Record<string, unknown> & { error?: string; traffic?: string; traffic_reason?: string; reasons?: Record<string, string> };
