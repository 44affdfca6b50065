// Numbers for people, in the viewer's language.

// Made when it is first needed: a format takes a slow phone 10 ms and more.
function formatter(options: Intl.NumberFormatOptions): (value: number) => string {
  let format: Intl.NumberFormat | undefined;
  return (value) => (format ??= new Intl.NumberFormat(undefined, options)).format(value);
}
const whole = formatter({ maximumFractionDigits: 0 });
const two = formatter({ maximumFractionDigits: 2 });
const one = formatter({ maximumFractionDigits: 1 });
const compact = formatter({ notation: "compact", maximumFractionDigits: 1 });

export const number = (value: number): string => (Number.isInteger(value) ? whole : two)(value);
// 12.3k; whole numbers below 10,000 stay as they are.
export const short = (value: number): string =>
  Math.abs(value) < 10_000 ? (Number.isInteger(value) ? whole : one)(value) : compact(value);
// Numbers of one axis: all of them short, or none.
export const onAxis = (values: readonly number[]): string[] =>
  values.map(values.some((value) => Math.abs(value) >= 10_000) ? compact : short);
export const percent = (value: number): string => `${one(value)}%`;

// 93 seconds: "1m 33s".
export function duration(seconds: number): string {
  const all = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  if (hours > 0) return `${whole(hours)}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${String(rest).padStart(2, "0")}s` : `${rest}s`;
}

// As the API words it where it can; its own number of decimals else.
export function money(value: { value: number; currency: string }, style: "short" | "long" = "short"): string {
  try {
    const large = style === "short" && Math.abs(value.value) >= 10_000;
    return new Intl.NumberFormat(undefined, {
      style: "currency",
      currency: value.currency,
      notation: large ? "compact" : "standard",
      maximumFractionDigits: large ? 1 : undefined,
    }).format(value.value);
  } catch {
    return `${two(value.value)} ${value.currency}`;
  }
}
