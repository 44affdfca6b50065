import { useEffect, useRef } from "preact/hooks";
import { pieces } from "./highlight";

// A text area over its own text in colours; both scroll and wrap alike.
export function Editor({ value, place, onText, onRun }: { value: string; place: { at: number } | null; onText: (text: string) => void; onRun: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const shown = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (!place || !area.current) return;
    area.current.focus();
    area.current.setSelectionRange(place.at, place.at);
  }, [place]);
  return (
    <div class="sql-editor">
      <pre ref={shown} aria-hidden="true">
        {pieces(value).map((piece, index) => (
          <span key={index} class={piece.kind === "plain" ? undefined : `sql-${piece.kind}`}>
            {piece.text}
          </span>
        ))}
        {"\n"}
      </pre>
      <textarea
        ref={area}
        aria-label="SQL statement"
        aria-keyshortcuts="Control+Enter"
        rows={9}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        value={value}
        onInput={(event) => onText(event.currentTarget.value)}
        onScroll={(event) => {
          if (shown.current) shown.current.scrollTop = event.currentTarget.scrollTop;
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          onRun();
        }}
      />
    </div>
  );
}
