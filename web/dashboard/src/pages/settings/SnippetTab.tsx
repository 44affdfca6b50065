import { useState } from "preact/hooks";
import { asApiError, send } from "../../api/client";
import type { LiveRow } from "../../api/live";
import { ask } from "../../api/query";
import { projectPath } from "../../state/router";
import { useLive } from "../../state/useLive";
import { useLoad } from "../../state/useLoad";
import { Button } from "../../ui/Button";
import { Tabs } from "../../ui/Tabs";
import { toast } from "../../ui/Toast";
import { CopyButton, Section } from "./Section";
import type { TabProps } from "./tabs";

const WAYS = [
  { key: "page", title: "In a page" },
  { key: "event", title: "For an event" },
  { key: "server", title: "From a server" },
  { key: "curl", title: "curl" },
];
const NO_FILTERS: never[] = [];

export function snippetOf(way: string, origin: string, project: string): string {
  const address = `${origin}/v1/events?app=${encodeURIComponent(project).replaceAll("'", "%27")}`;
  const inScript = JSON.stringify(address).replaceAll("<", "\\u003c");
  switch (way) {
    case "page":
      return `<script>
  addEventListener("load", () => {
    try { if (localStorage.weir_ignore) return; } catch {} // whoever set it is not counted
    navigator.sendBeacon(${inScript}, JSON.stringify({
      type: "pageview", url: location.href, referrer: document.referrer, title: document.title,
      screen: screen.width + "x" + screen.height, locale: navigator.language
    }));
  });
</script>`;
    case "event":
      return `fetch(${inScript}, {
  method: "POST",
  keepalive: true,
  body: JSON.stringify({ type: "signup", url: location.href, details: { plan: "pro" } })
});`;
    case "server":
      return `POST ${address}
Authorization: Bearer KEY            (of scope capture)
Content-Type: application/json

{"type":"purchase","user_id":"42","ip":"203.0.113.9","user_agent":"...",
 "revenue":{"amount":"12.50","currency":"EUR"}}`;
    default:
      return `curl -i '${address}' -H 'Content-Type: application/json' \\
  -d '{"type":"pageview","url":"https://example.com/hello"}'`;
  }
}

// Whether anything ever came, and what comes while one looks.
function FirstEventCheck({ project }: { project: string }) {
  const [latest, setLatest] = useState<LiveRow | null>(null);
  const live = useLive(project, NO_FILTERS, setLatest, () => undefined);
  const before = useLoad(`events ${project}`, async (signal) => {
    const answer = await ask({ site_id: project, metrics: ["events"], date_range: "all", traffic: ["human", "bot", "ai_crawler", "monitor", "spam", "internal"] }, signal);
    return Number(answer.results[0]?.metrics[0] ?? 0);
  });
  const [busy, setBusy] = useState(false);
  const sendTest = async () => {
    setBusy(true);
    try {
      const event = { type: "pageview", url: `${window.location.origin}/weir-test`, title: "A test from the settings", referrer: "", locale: navigator.language };
      await send("POST", "/v1/events", event, { query: { app: project } });
    } catch (error) {
      toast(`Not taken: ${asApiError(error).message}`, "bad");
    }
    setBusy(false);
  };
  const done = latest !== null || (before.data ?? 0) > 0;
  return (
    <>
      <div class="waiting" data-done={done} role="status">
        <span class="waiting-dot" aria-hidden="true" />
        <p>
          {latest ? (
            <>
              <strong>An event came: </strong>
              {latest.name} {latest.path}, stored a moment ago.
            </>
          ) : before.loading ? (
            "Looking for events…"
          ) : before.error ? (
            <>Whether any came before is not known ({before.error.message}). The next one stands here as it comes.</>
          ) : done ? (
            <>
              <strong>Events have come.</strong> The next one stands here as it comes.
            </>
          ) : (
            <>
              <strong>Waiting for the first event…</strong> It stands here a second after it is sent.
            </>
          )}{" "}
          {live.error ? <span class="field-error">{live.error.message}</span> : null}
        </p>
      </div>
      <div class="form-actions">
        <Button busy={busy} onClick={() => void sendTest()}>
          Send a test page view from here
        </Button>
        {done ? (
          <a class="button" href={projectPath(project, "?period=day")}>
            To the reports
          </a>
        ) : null}
        <a class="button button-plain" href={projectPath(project, "/live?view=debugger")}>
          Follow one event
        </a>
      </div>
    </>
  );
}

export function SnippetTab({ project }: TabProps) {
  const [way, setWay] = useState("page");
  const text = snippetOf(way, window.location.origin, project);
  return (
    <>
      <Section title="Send events" hint="Put the snippet into each page's head, or send from wherever things happen. Nothing is stored in the visitor's browser; no cookie is set.">
        <Tabs label="From where" tabs={WAYS} selected={way} panelId="snippet" onSelect={setWay} />
        <div class="snippet" id="snippet">
          <pre tabIndex={0}>{text}</pre>
        </div>
        <div class="form-actions">
          <CopyButton text={text} />
        </div>
        <p class="soft">
          The address is the one this page was opened by; visitors must be able to reach it. A page that changes its address without loading sends a <code>pageview</code>{" "}
          each time it does.
        </p>
        <p class="soft">
          Who sets <code>localStorage.weir_ignore = 1</code> on the site, by a button of yours or in the browser's console, is not counted from that browser; nothing is sent at all.
          Browsers that ask not to be counted by themselves (Global Privacy Control) are left out when <a href={projectPath(project, "/settings")}>the project respects that</a>.
        </p>
      </Section>
      <Section title="Does it arrive?">
        <FirstEventCheck project={project} />
      </Section>
    </>
  );
}
