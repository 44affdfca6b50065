import { ApiError, send } from "../../api/client";

// The answer to a statement, line by line: names, types, then rows, each a JSON list (JSONCompactEachRowWithNamesAndTypes).

export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

export interface SqlTable {
  names: string[];
  types: string[];
  rows: Cell[][];
  whole: boolean; // false: there are more rows than were wanted
}

// Numbers of more digits than a double holds stay as they are written.
export function parseLine(line: string): Cell[] {
  return JSON.parse(line.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) => (token.startsWith('"') ? token : `"${token}"`))) as Cell[];
}

// Runs a statement and hands out its lines as they come; false from `onLine` ends it, there and here.
export async function readLines(sql: string, format: string, signal: AbortSignal, onLine: (line: string) => boolean): Promise<void> {
  const response = await sendSql(sql, format, signal);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    let piece: ReadableStreamReadResult<string>;
    try {
      piece = await reader.read();
    } catch (error) {
      if (signal.aborted) throw error;
      throw new ApiError(0, "cut_off", "the answer was cut off: the statement failed while it ran, or met a limit");
    }
    const lines = (rest + (piece.value ?? "")).split("\n");
    rest = lines.pop()!;
    if (piece.done && rest) lines.push(rest);
    for (const line of lines) {
      if (line === "" || onLine(line)) continue;
      await reader.cancel();
      return;
    }
    if (piece.done) return;
  }
}

export const sendSql = (sql: string, format: string, signal?: AbortSignal): Promise<Response> =>
  send("POST", "/api/v1/sql", undefined, { query: { format }, signal, text: sql });

export async function runSql(sql: string, rowsMax: number, signal: AbortSignal): Promise<SqlTable> {
  const table: SqlTable = { names: [], types: [], rows: [], whole: true };
  let line = 0;
  await readLines(sql, "JSONCompactEachRowWithNamesAndTypes", signal, (text) => {
    const cells = parseLine(text);
    if (line === 0) table.names = cells.map(String);
    else if (line === 1) table.types = cells.map(String);
    else if (table.rows.length === rowsMax) {
      table.whole = false;
      return false;
    } else table.rows.push(cells);
    line += 1;
    return true;
  });
  return table;
}

export const cellText = (cell: Cell): string => (cell === null ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell));

// A field of a CSV file. Spreadsheets run what begins like a formula: an apostrophe makes it text.
export function csvField(cell: Cell): string {
  let text = cellText(cell);
  if (typeof cell === "string" && /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const isNumber = (type: string) => /^(?:Nullable\(|LowCardinality\()*(?:U?Int\d+|Float\d+|Decimal)/.test(type);
const isTime = (type: string) => /^(?:Nullable\(|LowCardinality\()*Date/.test(type);
export const isNumeric = (table: SqlTable, column: number): boolean => isNumber(table.types[column] ?? "");

export interface Chart {
  kind: "line" | "bar";
  x: number; // columns of the table
  y: number[];
}

// How a table could be drawn: numbers over the first column that is a time, or else is none. null: it could not.
export function chartOf(table: SqlTable): Chart | null {
  const columns = table.names.map((_, index) => index);
  const y = columns.filter((index) => isNumber(table.types[index]!));
  if (table.rows.length < 2 || y.length === 0) return null;
  const time = columns.find((index) => isTime(table.types[index]!));
  if (time !== undefined) return { kind: "line", x: time, y: y.slice(0, 5) };
  const name = columns.find((index) => !y.includes(index));
  if (name !== undefined) return { kind: "bar", x: name, y: y.slice(0, 1) };
  return y.length > 1 ? { kind: "line", x: y[0]!, y: y.slice(1, 6) } : null;
}

// Where in the statement an error is, in characters, if it says so: by its position in bytes, or by the name it does not know.
export function placeOf(message: string, sql: string): number | null {
  const position = /failed at position (\d+)/.exec(message);
  if (position) {
    const before = new TextEncoder().encode(sql).slice(0, Number(position[1]) - 1);
    return Math.min(new TextDecoder().decode(before).length, sql.length);
  }
  const name = /(?:identifier|function|table expression identifier)[^`'\n]{0,30}[`'](?:\w+\.)?([^`'\n]+)[`']/i.exec(message);
  const at = name ? sql.search(new RegExp(`(?<!\\w)${name[1]!.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?!\\w)`)) : -1;
  return at >= 0 ? at : null;
}
