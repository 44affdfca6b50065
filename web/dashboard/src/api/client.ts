// The one way to weir's API: JSON in and out, aborts, the header against forged requests, and one shape of errors.

import { takeFirstAnswer } from "./firstAnswers";

export interface RequestOptions {
  signal?: AbortSignal;
  query?: Record<string, string | number | undefined>;
  text?: string; // sent as it is, instead of a body of JSON
  json?: unknown; // the body of a DELETE, which has one seldom
}

// What failed, whatever failed. `status` 0: no answer came (offline, weir is away).
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
  // Whether the same request may succeed later.
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

// For showing: any thrown value as an ApiError.
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, "unknown", error instanceof Error ? error.message : String(error));
}

let csrf = "";
let shareSession = "";
let onSignedOut: () => void = () => undefined;

// The token of the session (`GET /api/v1/session`); state/session.ts keeps it fresh.
export function setCsrf(token: string): void {
  csrf = token;
}

// Asks as whoever opened this shared link, also where another site's frame keeps cookies away. "": no longer.
export function setShareSession(session: string): void {
  shareSession = session;
}

// Called when an answer says that the session is over.
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

export function withQuery(path: string, query: RequestOptions["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

async function failure(response: Response): Promise<ApiError> {
  const after = Number(response.headers.get("Retry-After"));
  let code = `http_${response.status}`;
  let message = response.statusText || `status ${response.status}`;
  try {
    const body = (await response.json()) as { error?: { code?: string; message?: string } };
    code = body.error?.code ?? code;
    message = body.error?.message ?? message;
  } catch {
    // Not weir's own answer: a front's page, say. The status has to do.
  }
  return new ApiError(response.status, code, message, after > 0 ? after : null);
}

// The raw answer, for streams and downloads. Throws ApiError for every status of 400 and above.
export async function send(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Response> {
  // No more headers than needed: an answer that index.html asked for beforehand is taken by a request that is the same.
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  else if (options.text !== undefined) headers["Content-Type"] = "text/plain; charset=utf-8";
  if (method !== "GET" && csrf) headers["X-Weir-CSRF"] = csrf;
  if (shareSession) headers["X-Weir-Share"] = shareSession;
  let response: Response;
  try {
    response = await fetch(withQuery(path, options.query), {
      method,
      headers,
      body: body === undefined ? options.text : JSON.stringify(body),
      signal: options.signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, "offline", "no answer from weir; it may be restarting, or the network is away");
  }
  if (response.ok) return response;
  const error = await failure(response);
  if (error.status === 401 && error.code === "unauthenticated" && path !== "/api/v1/session") onSignedOut();
  throw error;
}

async function json<T>(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<T> {
  const first = await takeFirstAnswer(method, withQuery(path, options?.query), body);
  options?.signal?.throwIfAborted();
  if (first !== null) return first as T;
  const response = await send(method, path, body, options);
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

export const api = {
  get: <T>(path: string, options?: RequestOptions) => json<T>("GET", path, undefined, options),
  post: <T>(path: string, body?: unknown, options?: RequestOptions) => json<T>("POST", path, body ?? {}, options),
  patch: <T>(path: string, body: unknown, options?: RequestOptions) => json<T>("PATCH", path, body, options),
  del: <T>(path: string, options?: RequestOptions) => json<T>("DELETE", path, options?.json, options),
};
