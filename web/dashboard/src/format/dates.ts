// Times for people, in the viewer's language. Buckets arrive as texts of the project's zone ("2026-11-29 14:00:00"), so
// they are formatted as they are, without moving them into another zone.

const formats = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", ...options })));
  return found;
}

// A bucket's or a day's text as a moment that formats to the same text in UTC.
export function asUtc(label: string): Date {
  const [day = "", time = ""] = label.replace("T", " ").split(" ");
  return new Date(`${day.length === 7 ? `${day}-01` : day}T${time ? time.slice(0, 8).padEnd(8, ":00") : "00:00:00"}Z`);
}

export type BucketSize = "minute" | "hour" | "day" | "week" | "month";

const LONG: Record<BucketSize, Intl.DateTimeFormatOptions> = {
  minute: { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" },
  hour: { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" },
  day: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
  week: { day: "numeric", month: "short", year: "numeric" },
  month: { month: "long", year: "numeric" },
};
const SHORT: Record<BucketSize, Intl.DateTimeFormatOptions> = {
  minute: { hour: "numeric", minute: "2-digit" },
  hour: { hour: "numeric", minute: "2-digit" },
  day: { day: "numeric", month: "short" },
  week: { day: "numeric", month: "short" },
  month: { month: "short", year: "numeric" },
};

export const bucketLong = (label: string, size: BucketSize): string =>
  (size === "week" ? "Week of " : "") + format(LONG[size]).format(asUtc(label));
export const bucketShort = (label: string, size: BucketSize): string => format(SHORT[size]).format(asUtc(label));

export const day = (text: string): string => format({ day: "numeric", month: "short", year: "numeric" }).format(asUtc(text));
export const month = (text: string): string => format({ month: "long", year: "numeric" }).format(asUtc(text));
export const dayRange = (from: string, to: string): string =>
  from === to
    ? day(from)
    : format({ day: "numeric", month: "short", year: "numeric" }).formatRange(asUtc(from), asUtc(to));

// 1: Monday ... 7: Sunday.
export const weekdayName = (number: number, style: "short" | "long" = "short"): string =>
  format({ weekday: style }).format(new Date(Date.UTC(2024, 0, number)));
export const hourName = (hour: number): string => format({ hour: "numeric" }).format(new Date(Date.UTC(2024, 0, 1, hour)));
// A moment (RFC 3339) in the viewer's own zone.
export const moment = (text: string): string =>
  new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
