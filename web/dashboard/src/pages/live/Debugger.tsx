import { useEffect, useRef, useState } from "preact/hooks";
import { api, asApiError, isAbort, send, type ApiError } from "../../api/client";
import type { Explained, Sighting } from "../../api/live";
import { Button } from "../../ui/Button";
import { TextArea, TextField } from "../../ui/Field";
import { isSettled, sentStage, storedStages, type Sent, type Stage } from "./stages";

const LOOK_AGAIN_MS = 500;
const LOOKS_MAX = 120;

const example = (project: string) =>
  JSON.stringify({ type: "pageview", url: `https://${project.includes(".") ? project : "example.com"}/hello?utm_source=newsletter`, referrer: "https://www.google.com/", details: { plan: "pro" } }, null, 2);

function randomId(): string {
  return `debug-${[...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function parseEvent(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new SyntaxError("expected one JSON object");
  return parsed as Record<string, unknown>;
}

const trace = async (project: string, id: string, signal: AbortSignal): Promise<Sighting[]> => {
  try {
    return (await api.get<{ sightings: Sighting[] }>("/api/v1/trace", { signal, query: { id, project } })).sightings;
  } catch (error) {
    if (asApiError(error).status === 404) return [];
    throw error;
  }
};

function Stages({ stages }: { stages: readonly Stage[] }) {
  const marks = { done: "✓", failed: "✕", busy: "…", open: "" };
  return (
    <ol class="stages" aria-live="polite">
      {stages.map((stage, index) => (
        <li key={index} class="stage" data-state={stage.state}>
          <span class="stage-mark" aria-hidden="true">
            {marks[stage.state]}
          </span>
          <span class="stage-title">{stage.title}</span>
          <span class="stage-text">{stage.text}</span>
          {stage.details ? (
            <details>
              <summary>All of it</summary>
              <pre tabIndex={0}>{JSON.stringify(stage.details, null, 2)}</pre>
            </details>
          ) : null}
        </li>
      ))}
    </ol>
  );
}

function Reasons({ explained }: { explained: Explained }) {
  if (explained.error)
    return (
      <p class="field-error" role="alert">
        It would be refused: {explained.error}
      </p>
    );
  const shown = ["traffic", "source", "channel", "country", "region", "city", "browser", "browser_version", "os", "device", "hostname", "path"];
  return (
    <>
      <dl class="facts">
        {shown.map((key) => (
          <>
            <dt key={key}>{key}</dt>
            <dd>
              {typeof explained[key] === "string" && explained[key] ? explained[key] : "–"}
              {explained.reasons?.[key] ? <span class="soft"> · {explained.reasons[key]}</span> : null}
            </dd>
          </>
        ))}
        <dt>place</dt>
        <dd>{explained.reasons?.place ?? "–"}</dd>
      </dl>
      <details style={{ marginTop: "0.6rem" }}>
        <summary>All of it</summary>
        <pre tabIndex={0}>{JSON.stringify(explained, null, 2)}</pre>
      </details>
    </>
  );
}

// Sends an event and follows it through every stage; says what would become of one; finds one by its id.
export function Debugger({ project, id: asked }: { project: string; id: string | null }) {
  const [text, setText] = useState(() => example(project));
  const [flaw, setFlaw] = useState<string | null>(null);
  const [stages, setStages] = useState<Stage[]>([]);
  const [followed, setFollowed] = useState<string | null>(null);
  const [explained, setExplained] = useState<Explained | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [id, setId] = useState(asked ?? "");
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const begin = (): AbortSignal => {
    running.current?.abort();
    running.current = new AbortController();
    setError(null);
    setExplained(null);
    setStages([]);
    setFollowed(null);
    setFlaw(null);
    setBusy(true);
    return running.current.signal;
  };
  const during = async (work: (signal: AbortSignal) => Promise<void>) => {
    const signal = begin();
    try {
      await work(signal);
    } catch (why) {
      if (signal.aborted || isAbort(why)) return;
      if (why instanceof SyntaxError) setFlaw(`Not an event: ${why.message}`);
      else setError(asApiError(why));
    }
    if (!signal.aborted) setBusy(false);
  };

  const follow = async (wanted: string, before: Stage[], signal: AbortSignal) => {
    setFollowed(wanted);
    for (let look = 0; look < LOOKS_MAX; ++look) {
      const sightings = await trace(project, wanted, signal);
      const latest = sightings.at(-1) ?? null;
      setStages([...before, ...storedStages(latest)]);
      if (isSettled(latest)) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      if (signal.aborted) return;
    }
  };
  const sendEvent = () =>
    during(async (signal) => {
      const event = parseEvent(text);
      // Only servers with a key may speak for a visitor; here the browser's own request counts.
      delete event.ip;
      delete event.user_agent;
      delete event.hints;
      event.id ??= randomId();
      setStages([sentStage(null)]);
      let sent: Sent;
      try {
        const response = await send("POST", "/v1/events", event, { query: { app: project }, signal });
        sent = { status: response.status, dropped: response.headers.get("X-Weir-Dropped"), error: null };
      } catch (why) {
        if (isAbort(why)) throw why;
        const refused = asApiError(why);
        sent = { status: refused.status, dropped: null, error: refused.message };
      }
      const first = sentStage(sent);
      setStages([first]);
      if (first.state === "done") await follow(typeof event.id === "string" ? event.id : JSON.stringify(event.id), [first], signal);
    });
  const explain = () =>
    during(async (signal) => {
      const event = parseEvent(text);
      event.user_agent ??= navigator.userAgent;
      const answer = await api.post<{ events: Explained[] }>("/api/v1/explain", event, { query: { project }, signal });
      setExplained(answer.events[0] ?? null);
    });
  const find = (wanted: string) =>
    during(async (signal) => {
      setFollowed(wanted);
      const sightings = await trace(project, wanted, signal);
      if (sightings.length === 0) setStages([{ title: "Not found", text: "No accepted event of this project answers to this id, as far back as the journal reaches.", state: "failed" }]);
      else setStages(sightings.flatMap((sighting) => storedStages(sighting)));
    });
  useEffect(() => {
    if (asked) {
      setId(asked);
      void find(asked);
    }
  }, [asked]);

  return (
    <div class="debug">
      <section class="card live-panel" aria-label="Try an event">
        <div class="live-panel-head">
          <h2>Try an event</h2>
        </div>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void sendEvent();
          }}
        >
          <TextArea
            label="The event, as JSON"
            hint={
              <>
                The fields of <code>POST /v1/events</code>. Sent from here, it is yours: your browser, your address. When it is
                only explained it may say <code>user_agent</code> and <code>ip</code>.
              </>
            }
            rows={11}
            spellcheck={false}
            value={text}
            onText={setText}
            error={flaw}
          />
          <div class="form-actions">
            <Button look="primary" type="submit" busy={busy}>
              Send and follow it
            </Button>
            <Button busy={busy} onClick={() => void explain()}>
              Explain without sending
            </Button>
          </div>
        </form>
        <hr class="debug-rule" />
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            if (id.trim()) void find(id.trim());
          }}
        >
          <TextField
            label="Where is my event?"
            hint="Its id, as its client gave it or as lists show it, or a position of the journal such as live:812."
            value={id}
            onText={setId}
            spellcheck={false}
          />
          <div class="form-actions">
            <Button type="submit" busy={busy}>
              Find it
            </Button>
          </div>
        </form>
      </section>
      <section class="card live-panel" aria-label="What became of it">
        <div class="live-panel-head">
          <h2>{explained ? "What would become of it" : "What became of it"}</h2>
          {followed ? <code>{followed}</code> : null}
        </div>
        {error ? (
          <p class="field-error" role="alert">
            {error.message}
          </p>
        ) : explained ? (
          <Reasons explained={explained} />
        ) : stages.length > 0 ? (
          <Stages stages={stages} />
        ) : (
          <p class="soft">Send an event, and each stage stands here as it gets there: accepted, in the journal, enriched, stored, and how it was labelled.</p>
        )}
      </section>
    </div>
  );
}
