import { useEffect, useRef } from "preact/hooks";
import { useProject } from "../../state/project";
import { useQuery, useRound } from "../../state/useQuery";
import { Button } from "../../ui/Button";

const LOOK_SECONDS = 3;
const ALL_TRAFFIC = ["human", "bot", "ai_crawler", "monitor", "spam", "internal"];

// Nothing in the range: either nothing ever came, and this is how to send something, or it came at another time. The
// first event takes the page to today, where it stands.
export function FirstEvent({ onPeriod }: { onPeriod: (name: "day" | "all") => void }) {
  const { project, shared, refresh } = useProject();
  const look = useRound(LOOK_SECONDS);
  const ever = useQuery({ site_id: project.name, metrics: ["events"], date_range: "all", traffic: ALL_TRAFFIC }, look);
  const events = Number(ever.data?.results[0]?.metrics[0] ?? 0);
  const waited = useRef(false);
  useEffect(() => {
    if (ever.data === null) return;
    if (events === 0) waited.current = true;
    else if (waited.current) {
      waited.current = false;
      refresh();
      onPeriod("day");
    }
  }, [ever.data, events]);
  if (ever.data === null) return null;
  if (events > 0)
    return (
      <div class="card first-event" role="status">
        <h2>No visitors in this range</h2>
        <p>There are events at other times. Ranges such as “Last 28 days” end yesterday.</p>
        <div class="form-actions">
          <Button look="primary" onClick={() => onPeriod("day")}>
            Show today
          </Button>
          <Button onClick={() => onPeriod("all")}>Show all time</Button>
        </div>
      </div>
    );
  if (shared) return null;
  const line = `curl -i ${window.location.origin} -H 'X-App: ${project.name}' -H 'Content-Type: application/json' \\\n  -d '{"type":"pageview","path":"/hello"}'`;
  return (
    <div class="card first-event" role="status">
      <h2>Waiting for the first event of {project.name}</h2>
      <p>Send one, and it stands here within seconds:</p>
      <pre tabIndex={0}>{line}</pre>
      <p>
        To look around with made-up visitors first: <code>weir seed --project {project.name} --events 100000</code>
      </p>
    </div>
  );
}
