// Numbers for people, in the viewer's language.

interface Style {
  decimals: number; // at most
  compact?: boolean; // 12.3K
}

// The first number that a browser writes by its tables of languages takes it 25 ms, a slow phone 150, before anything is shown.
// English as it is written in most countries needs none of them, and is written so by itself.
const PLAIN = ["en", "en-US", "en-CA", "en-AU", "en-NZ", "en-IE", "en-SG"];
const plainly = typeof navigator !== "undefined" && PLAIN.includes(navigator.language);
const UNITS = ["", "K", "M", "B", "T"];

// The value times ten to the power of `places`, whole. Halves go up, of the number as it is written and not of its bits.
function rounded(value: number, places: number): bigint {
  const [whole, fraction = ""] = String(value).split(".");
  const digits = whole! + fraction;
  const end = whole!.length + places;
  if (end < 0) return 0n;
  return BigInt(digits.slice(0, end).padEnd(end, "0")) + ((digits[end] ?? "0") >= "5" ? 1n : 0n);
}

// Of 0, or from a millionth up to 10^15.
export function inEnglish(value: number, { decimals, compact }: Style): string {
  const size = Math.abs(value);
  let unit = 0;
  if (compact) while (unit < 4 && rounded(size, decimals - 3 * unit) >= 1000 * 10 ** decimals) ++unit;
  const digits = String(rounded(size, decimals - 3 * unit)).padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  const whole = digits.slice(0, point).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = digits.slice(point).replace(/0+$/, "");
  return `${value < 0 && /[1-9]/.test(digits) ? "-" : ""}${whole}${fraction ? `.${fraction}` : ""}${UNITS[unit]}`;
}

function formatter(style: Style): (value: number) => string {
  const intl = { maximumFractionDigits: style.decimals, notation: style.compact ? "compact" : "standard" } as const;
  let format: Intl.NumberFormat | undefined;
  return (value) => {
    const size = Math.abs(value);
    if (plainly && (size === 0 || (size >= 1e-6 && size < 1e15))) return inEnglish(value, style);
    return (format ??= new Intl.NumberFormat(undefined, intl)).format(value);
  };
}
const whole = formatter({ decimals: 0 });
const two = formatter({ decimals: 2 });
const one = formatter({ decimals: 1 });
const compact = formatter({ decimals: 1, compact: true });

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
