import { useEffect, useState } from "preact/hooks";

interface Message {
  id: number;
  text: string;
  bad: boolean;
}

const SHOWN_MS = 5000;
let messages: Message[] = [];
let next = 1;
let changed: () => void = () => undefined;

// A line at the foot of the window, for some seconds, also spoken. For what happened, not for what must be read.
export function toast(text: string, look: "normal" | "bad" = "normal"): void {
  const id = next++;
  messages = [...messages.slice(-2), { id, text, bad: look === "bad" }];
  changed();
  setTimeout(() => {
    messages = messages.filter((message) => message.id !== id);
    changed();
  }, SHOWN_MS);
}

// Stands once, in the frame.
export function Toasts() {
  const [shown, setShown] = useState<Message[]>(messages);
  useEffect(() => {
    changed = () => setShown(messages);
    return () => {
      changed = () => undefined;
    };
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((message) => (
        <div key={message.id} class={message.bad ? "toast toast-bad" : "toast"}>
          {message.text}
        </div>
      ))}
    </div>
  );
}
