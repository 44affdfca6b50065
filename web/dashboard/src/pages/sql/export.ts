import { csvField, parseLine, readLines, sendSql } from "./rows";

export type ExportFormat = "csv" | "jsonl" | "parquet";

function save(parts: BlobPart[], type: string, name: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// Runs the statement again, whole, and saves its answer as a file.
export async function exportSql(sql: string, format: ExportFormat, name: string, signal: AbortSignal): Promise<void> {
  if (format === "csv") {
    const parts: string[] = [];
    let line = 0;
    await readLines(sql, "JSONCompactEachRowWithNamesAndTypes", signal, (text) => {
      if (line++ !== 1) parts.push(`${parseLine(text).map(csvField).join(",")}\r\n`); // the second names the types
      return true;
    });
    save(parts, "text/csv;charset=utf-8", `${name}.csv`);
    return;
  }
  const response = await sendSql(sql, format === "parquet" ? "Parquet" : "JSONEachRow", signal);
  save([await response.blob()], format === "parquet" ? "application/vnd.apache.parquet" : "application/x-ndjson", `${name}.${format}`);
}
