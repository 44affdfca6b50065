import { useProject } from "../../state/project";
import { useQuery } from "../../state/useQuery";
import { Button } from "../../ui/Button";

// Nothing in the range: either nothing ever came, and this is how to send something, or it came at another time.
export function FirstEvent({ onAll }: { onAll: () => void }) {
  const { project, shared, round } = useProject();
  const ever = useQuery({ site_id: project.name, metrics: ["events"], date_range: "all" }, round);
  const events = ever.data?.results[0]?.metrics[0];
  if (ever.data === null) return null;
  if (events)
    return (
      <div class="card first-event" role="status">
        <h2>No visitors in this range</h2>
        <p>There are events at other times.</p>
        <Button look="primary" onClick={onAll}>
          Show all time
        </Button>
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
      <Button look="primary" onClick={ever.retry}>
        Look again
      </Button>
    </div>
  );
}
