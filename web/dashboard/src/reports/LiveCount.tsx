import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/query";
import { number } from "../format/numbers";
import { plain } from "../state/metrics";
import { useProject } from "../state/project";
import { useLive } from "../state/useLive";

const ASK_AGAIN_MS = 30_000;
const RECENT_MS = 300_000; // as the server counts
const nothing = () => undefined;

// Visitors of the last minutes, pushed by the server; where it does not push (a proxy between), asked for.
function useVisitorsNow(project: string): number | null {
  const live = useLive(project, null, nothing, nothing);
  const [asked, setAsked] = useState<number | null>(null);
  const away = live.error !== null;
  useEffect(() => {
    if (!away) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const controller = new AbortController();
    const asking = async () => {
      try {
        const recent: [string, string] = [new Date(Date.now() - RECENT_MS).toISOString(), new Date().toISOString()];
        const answer = await ask({ site_id: project, metrics: ["visitors"], date_range: recent }, controller.signal);
        setAsked(plain(answer.results[0]?.metrics[0]));
      } catch {
        // The page's other parts say what is wrong.
      }
      if (!controller.signal.aborted) timer = setTimeout(() => void asking(), ASK_AGAIN_MS);
    };
    void asking();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [project, away]);
  return away ? (asked ?? live.now?.visitors ?? null) : (live.now?.visitors ?? null);
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
