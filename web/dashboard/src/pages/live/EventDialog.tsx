import type { LiveRow } from "../../api/live";
import { Dialog } from "../../ui/Dialog";
import { momentOf } from "./EventTail";
import { TrafficBadge } from "./TrafficBadge";

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const APART = new Set(["name", "traffic", "traffic_reason", "properties", "numbers", "event_id"]);
const isEmpty = (value: unknown) => value === "" || value === null || value === undefined;

function written(key: string, value: unknown): string {
  if ((key === "timestamp" || key === "received_at") && typeof value === "string") return full.format(momentOf(value));
  return typeof value === "string" ? value : JSON.stringify(value);
}

// All that is known of one event.
export function EventDialog({ row, onTrace, onClose }: { row: LiveRow; onTrace: (id: string) => void; onClose: () => void }) {
  const known = Object.entries(row).filter(([key, value]) => !APART.has(key) && !isEmpty(value));
  const properties = Object.entries(row.properties ?? {});
  return (
    <Dialog title={row.name} wide onClose={onClose}>
      <p>
        <TrafficBadge traffic={row.traffic} /> {row.traffic_reason}
      </p>
      <dl class="facts" style={{ marginTop: "0.8rem" }}>
        <dt>event_id</dt>
        <dd>
          <code>{row.event_id}</code>{" "}
          <button type="button" class="button button-plain button-small" onClick={() => onTrace(row.event_id)}>
            Where is it?
          </button>
        </dd>
        {known.map(([key, value]) => (
          <>
            <dt key={key}>{key}</dt>
            <dd>{written(key, value)}</dd>
          </>
        ))}
      </dl>
      {properties.length > 0 ? (
        <>
          <h3 style={{ marginTop: "1rem" }}>Properties</h3>
          <dl class="facts">
            {properties.map(([key, value]) => (
              <>
                <dt key={key}>{key}</dt>
                <dd>{value}</dd>
              </>
            ))}
          </dl>
        </>
      ) : null}
    </Dialog>
  );
}
