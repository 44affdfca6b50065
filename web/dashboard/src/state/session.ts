import { api, setCsrf, whenSignedOut } from "../api/client";
import type { Session, SessionProject } from "../api/types";
import { createStore, useStore } from "./store";

// Who looks at the page. null: not known yet (the first answer is under way).
export const sessionStore = createStore<Session | null>(null);
export const useSession = () => useStore(sessionStore);

export function setSession(session: Session): void {
  setCsrf(session.csrf);
  sessionStore.set(session);
}

// Throws ApiError.
export async function loadSession(signal?: AbortSignal): Promise<Session> {
  const session = await api.get<Session>("/api/v1/session", { signal });
  setSession(session);
  return session;
}

// A session that ended elsewhere (expired, revoked): ask again who we are, and the page follows from that.
whenSignedOut(() => {
  if (sessionStore.get()?.user) loadSession().catch(() => undefined);
});

export const findProject = (session: Session | null, name: string): SessionProject | null =>
  session?.projects.find((project) => project.name === name) ?? null;

const RANK = { viewer: 0, editor: 1, admin: 2, owner: 3 } as const;

// Whether the caller's role in the project is at least this one. Hides what would be refused; the server decides.
export const mayAs = (project: SessionProject | null, role: keyof typeof RANK): boolean =>
  project !== null && RANK[project.role] >= RANK[role];
