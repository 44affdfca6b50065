import { ApiError, asApiError, isAbort, send } from "./client";

// Server-sent events over fetch: unlike EventSource it says why a stream was refused.

export interface StreamEvent {
  name: string;
  data: string;
}

// Takes the text as it comes and answers the events that are whole.
export function createParser(): (text: string) => StreamEvent[] {
  let rest = "";
  let name = "";
  let data: string[] = [];
  return (text) => {
    const events: StreamEvent[] = [];
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) events.push({ name: name || "message", data: data.join("\n") });
        name = "";
        data = [];
      } else if (line.startsWith("event:")) name = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    }
    return events;
  };
}

// A stream of which nothing came for this long is dead, whatever the connection says: the server sends a line every 15 s.
const SILENCE_MS = 45_000;

// Reads one stream to its end. Throws ApiError when it is refused or breaks; returns when the server ended it.
export async function readStream(path: string, query: Record<string, string>, signal: AbortSignal, onEvent: (event: StreamEvent) => void): Promise<void> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  signal.addEventListener("abort", stop);
  let silence: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(stop, SILENCE_MS);
  };
  try {
    heard();
    const response = await send("GET", path, undefined, { query, signal: controller.signal });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const parse = createParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      for (const event of parse(value)) onEvent(event);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw isAbort(error) ? new ApiError(0, "silent", "the connection went silent") : asApiError(error);
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", stop);
  }
}
