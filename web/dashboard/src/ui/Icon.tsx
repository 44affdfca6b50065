// Strokes on a 16 by 16 grid, in the colour of the text around them.
const PATHS = {
  cross: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4 4-4",
  left: "M10 3.5L5.5 8l4.5 4.5",
  right: "M6 3.5L10.5 8 6 12.5",
  filter: "M2.5 3.5h11L9.5 8.5v4l-3 1.5v-5.5z",
  search: "M7 2.8a4.2 4.2 0 100 8.4 4.2 4.2 0 000-8.4zM10.2 10.2l3.3 3.3",
  calendar: "M3 4.5h10v8.5H3zM3 7h10M5.5 2.5v3M10.5 2.5v3",
  info: "M8 2.2a5.8 5.8 0 100 11.6A5.8 5.8 0 008 2.2zM8 7.3v3.6M8 5.1v.2",
  table: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.5 3v10",
  graph: "M2.5 12.5l3.5-5 3 3 4.5-7",
  download: "M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13h10",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  bookmark: "M4.5 2.5h7v11L8 10.8l-3.5 2.7z",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5L9.2 6.8M2.5 13.5l4.3-4.3",
  check: "M3 8.5l3.3 3.3L13 4.8",
  sun: "M8 5.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13 9.6A5.6 5.6 0 016.4 3a5.6 5.6 0 106.6 6.6z",
  user: "M8 2.8a2.6 2.6 0 100 5.2 2.6 2.6 0 000-5.2zM3 13.5c.4-2.6 2.4-4 5-4s4.6 1.4 5 4",
  pencil: "M3 13l.6-2.8 7-7 2.2 2.2-7 7zM9.3 4.5l2.2 2.2",
  bin: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
  external: "M6.5 3.5H3v9.5h9.5V9.5M9 2.8h4.2V7M13 3L7.5 8.5",
  plus: "M8 3v10M3 8h10",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width={name === "more" ? 2.4 : 1.5} stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
