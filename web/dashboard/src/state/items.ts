import { useCallback } from "preact/hooks";
import { api } from "../api/client";
import type { Filter } from "../api/types";
import { useLoad } from "./useLoad";

// What people made for a project: goals, segments, annotations, properties.
interface Item {
  id: string;
  name: string;
  owner: string | null; // "me": mine alone; null: everybody's
}
export interface Goal extends Item {
  event?: string;
  page?: string;
  currency?: string;
}
export interface Segment extends Item {
  filters: Filter[];
}
export interface Annotation extends Item {
  date: string;
  text: string;
}
export interface Property extends Item {
  key: string;
}

export interface Items {
  goals: Goal[];
  segments: Segment[];
  annotations: Annotation[];
  properties: Property[];
}
type Kind = keyof Items;
const KINDS: readonly Kind[] = ["goals", "segments", "annotations", "properties"];
const NONE: Items = { goals: [], segments: [], annotations: [], properties: [] };

// What is asked for them, in whichever order the answers come.
export const itemRequests = (project: string) => KINDS.map((kind) => ({ kind, path: `/api/v1/${kind}`, query: { project } }));

async function loadAll(project: string, signal: AbortSignal): Promise<Items> {
  const lists = await Promise.all(
    itemRequests(project).map(async ({ kind, path, query }) => {
      const answer: Partial<Items> = await api.get<Partial<Items>>(path, { signal, query }).catch((error: unknown) => {
        // A shared page may see goals but not people's segments: what is refused is not there.
        if (signal.aborted) throw error;
        return {};
      });
      return [kind, answer[kind] ?? []] as const;
    }),
  );
  return { ...NONE, ...Object.fromEntries(lists) };
}

// `settled`: whether they are known yet.
export function useItems(project: string): Items & { settled: boolean; reload: () => void } {
  const loaded = useLoad(project, (signal) => loadAll(project, signal), { keep: false });
  const { retry } = loaded;
  const reload = useCallback(() => retry(), [retry]);
  return { ...(loaded.data ?? NONE), settled: loaded.data !== null || loaded.error !== null, reload };
}

export const addItem = (kind: Kind, project: string, body: Record<string, unknown>): Promise<Item> =>
  api.post<Item>(`/api/v1/${kind}`, { project, ...body });
export const removeItem = (kind: Kind, id: string): Promise<unknown> => api.del(`/api/v1/${kind}/${encodeURIComponent(id)}`);
