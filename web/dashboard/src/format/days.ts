// Calendar days as "YYYY-MM-DD", which compare as texts. No clock and no zone in here but in today().

// What the server says of a zone's clock.
export interface ZoneClock {
  offset: number; // seconds east of UTC
  until: number | null; // Unix seconds; null: for more than a year
}

const utc = (day: string): Date => new Date(`${day}T00:00:00Z`);
const text = (date: Date): string => date.toISOString().slice(0, 10);

export const isDay = (value: string | null | undefined): value is string =>
  typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(utc(value).getTime()) && text(utc(value)) === value;

const clocks = new Map<string | undefined, Intl.DateTimeFormat>();
function clockOf(zone: string | undefined): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    const options = { calendar: "gregory", numberingSystem: "latn", year: "numeric", month: "2-digit", day: "2-digit" } as const;
    clocks.set(zone, (clock = new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone })));
  }
  return clock;
}

// The day it is now in this zone (IANA name; unknown: the viewer's own). With what the server says of its clock no browser has
// to load what it knows of dates and zones, which takes a slow phone a sixth of a second.
export function today(zone: string | undefined, told: ZoneClock | null, now: Date = new Date()): string {
  if (told && (told.until === null || now.getTime() < told.until * 1000)) return text(new Date(now.getTime() + told.offset * 1000));
  let clock: Intl.DateTimeFormat;
  try {
    clock = clockOf(zone);
  } catch {
    clock = clockOf(undefined);
  }
  const found = Object.fromEntries(clock.formatToParts(now).map((part) => [part.type, part.value]));
  return `${found.year}-${found.month}-${found.day}`;
}

export function addDays(day: string, days: number): string {
  const date = utc(day);
  date.setUTCDate(date.getUTCDate() + days);
  return text(date);
}

// The 31st of a month becomes the last day of a shorter one.
export function addMonths(day: string, months: number): string {
  const date = utc(day);
  const wanted = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  date.setUTCDate(Math.min(wanted, daysInMonth(text(date))));
  return text(date);
}

export const daysInMonth = (day: string): number =>
  new Date(Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)), 0)).getUTCDate();
export const firstOfMonth = (day: string): string => `${day.slice(0, 7)}-01`;
export const lastOfMonth = (day: string): string => `${day.slice(0, 7)}-${String(daysInMonth(day)).padStart(2, "0")}`;
export const daysBetween = (from: string, to: string): number => Math.round((utc(to).getTime() - utc(from).getTime()) / 86_400_000);
// 0: Monday.
export const weekday = (day: string): number => (utc(day).getUTCDay() + 6) % 7;
