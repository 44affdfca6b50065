import type { Sighting } from "../../api/live";

// What became of one event, stage by stage, in words.

export interface Stage {
  title: string;
  text: string;
  state: "done" | "busy" | "failed" | "open";
  details?: unknown; // for who wants to see all of it
}

// What sending answered.
export interface Sent {
  status: number;
  dropped: string | null; // by a policy, for this reason
  error: string | null; // why it was refused
}

const OUTCOMES: Record<string, string> = {
  expired: "It is older than its project keeps events.",
  erased: "Somebody asked for it to be forgotten.",
  moved: "It stands again at a later position of the journal.",
};

export function sentStage(sent: Sent | null): Stage {
  if (!sent) return { title: "Sent", text: "On its way…", state: "busy" };
  if (sent.error) return { title: "Refused", text: `${sent.status ? `${sent.status}: ` : ""}${sent.error}`, state: "failed" };
  if (sent.dropped) return { title: "Dropped by policy", text: `Reason: ${sent.dropped}. It is counted, not stored.`, state: "failed" };
  return { title: "Accepted", text: "Answered 201: it is on disk, in the journal.", state: "done" };
}

// `sighting` null: nothing answers to the id yet.
export function storedStages(sighting: Sighting | null): Stage[] {
  if (!sighting) return [{ title: "In the journal", text: "Looking for it…", state: "busy" }];
  const journal: Stage = {
    title: "In the journal",
    text: `Position ${sighting.position}${sighting.received_at ? `, received ${new Date(sighting.received_at).toLocaleString()}` : ""}`,
    state: "done",
    details: sighting.record,
  };
  const loading = (text: string, state: Stage["state"], details?: unknown): Stage => ({ title: "Enriched and stored", text, state, details });
  switch (sighting.stage) {
    case "stored": {
      const { traffic, traffic_reason: why } = (sighting.row ?? {}) as { traffic?: string; traffic_reason?: string };
      const label: Stage = {
        title: traffic === "human" ? "Counted as a person" : `Labelled ${traffic ?? "unknown"}`,
        text: traffic === "human" ? "No list and no rule says otherwise; reports show it." : `${why || "no reason is known"}. Reports leave it out unless asked.`,
        state: "done",
      };
      return [journal, loading("It is a row of the view events.", "done", sighting.row), label];
    }
    case "waiting":
      return [journal, loading(sighting.before ? `Waits for ${sighting.before} events before it.` : "Next to be stored.", "busy")];
    case "settled":
      if (sighting.outcome === "duplicate")
        return [journal, loading(`No row: its id came before${sighting.first ? `, at ${sighting.first}` : ""}. It counts once.`, "failed")];
      if (sighting.outcome === "dead") return [journal, loading(`No row could be made of it: ${sighting.reason ?? "no reason is known"}`, "failed")];
      return [journal, loading(OUTCOMES[sighting.outcome ?? ""] ?? "It has no row, and needs none.", "failed")];
    case "damaged":
      return [{ ...journal, text: `${journal.text}; its record cannot be read any more`, state: "failed" }];
    default:
      return [{ ...journal, text: "The journal has forgotten it, and there is no row.", state: "failed" }];
  }
}

export const isSettled = (sighting: Sighting | null): boolean => sighting !== null && sighting.stage !== "waiting";
