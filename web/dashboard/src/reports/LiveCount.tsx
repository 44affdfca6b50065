import { useEffect, useState } from "preact/hooks";
import { withQuery } from "../api/client";
import { ask } from "../api/query";
import { number } from "../format/numbers";
import { plain } from "../state/metrics";
import { useProject } from "../state/project";

const ASK_AGAIN_MS = 30_000;

// Visitors of the last minutes, pushed by the server; where it does not push (a proxy between), asked for.
function useVisitorsNow(project: string): number | null {
  const [visitors, setVisitors] = useState<number | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const controller = new AbortController();
    const asking = async () => {
      try {
        const answer = await ask({ site_id: project, metrics: ["visitors"], date_range: "realtime" }, controller.signal);
        setVisitors(plain(answer.results[0]?.metrics[0]));
      } catch {
        // The page's other parts say what is wrong.
      }
      if (!controller.signal.aborted) timer = setTimeout(() => void asking(), ASK_AGAIN_MS);
    };
    const source = new EventSource(withQuery("/api/v1/live", { project }));
    source.addEventListener("now", (event: MessageEvent<string>) => {
      const now = JSON.parse(event.data) as { visitors_5m?: number; visitors?: number };
      setVisitors(now.visitors_5m ?? now.visitors ?? null);
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) void asking();
    });
    return () => {
      controller.abort();
      source.close();
      clearTimeout(timer);
    };
  }, [project]);
  return visitors;
}

export function LiveCount() {
  const { project, shared, href } = useProject();
  const visitors = useVisitorsNow(project.name);
  if (visitors === null) return <span class="live" />;
  const text = `${number(visitors)} ${visitors === 1 ? "current visitor" : "current visitors"}`;
  const target = shared ? href({ period: { name: "realtime" }, interval: null }) : `/ui/p/${encodeURIComponent(project.name)}/live`;
  return (
    <a class="live" href={target}>
      <span class={visitors > 0 ? "live-dot live-on" : "live-dot"} aria-hidden="true" /> {text}
    </a>
  );
}
