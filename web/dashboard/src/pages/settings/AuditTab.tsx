import { useEffect, useState } from "preact/hooks";
import { api, asApiError, isAbort, type ApiError } from "../../api/client";
import { moment } from "../../format/dates";
import { Button } from "../../ui/Button";
import { ErrorState, Skeleton } from "../../ui/States";
import { Table } from "../../ui/Table";
import { Section } from "./Section";

interface Entry {
  number: number;
  at: string;
  who: string;
  address: string;
  project: string | null;
  action: string;
  subject: string;
  detail: unknown;
}
const PAGE = 50;

// Each change, who made it and from where. Nothing of it can be changed.
export function AuditTab() {
  const [entries, setEntries] = useState<Entry[] | null>(null);
  const [more, setMore] = useState(true);
  const [error, setError] = useState<ApiError | null>(null);
  const load = async (before: number | undefined, signal?: AbortSignal) => {
    setError(null);
    try {
      const { entries: next } = await api.get<{ entries: Entry[] }>("/api/v1/audit", { signal, query: { before, limit: PAGE } });
      setEntries((known) => (before === undefined ? next : [...(known ?? []), ...next]));
      setMore(next.length === PAGE);
    } catch (why) {
      if (!isAbort(why)) setError(asApiError(why));
    }
  };
  useEffect(() => {
    const controller = new AbortController();
    void load(undefined, controller.signal);
    return () => controller.abort();
  }, []);
  return (
    <Section title="Audit log" hint="Each change to people, keys, projects and what belongs to them, the latest first.">
      {entries ? (
        <Table
          stacks
          caption="All changes"
          columns={[
            { key: "at", title: "When", oneLine: true, cell: (row) => moment(row.at) },
            {
              key: "who",
              title: "Who",
              cell: (row) => (
                <>
                  {row.who}
                  {row.address ? <span class="soft"> {row.address}</span> : null}
                </>
              ),
            },
            { key: "action", title: "Did", cell: (row) => <code>{row.action}</code> },
            {
              key: "subject",
              title: "What",
              cell: (row) => (
                <>
                  {row.subject}
                  {row.project ? <span class="soft"> in {row.project}</span> : null}
                </>
              ),
            },
            {
              key: "detail",
              title: "Before and after",
              cell: (row) => {
                const text = typeof row.detail === "string" ? row.detail : JSON.stringify(row.detail ?? {});
                return text && text !== "{}" ? <code class="audit-detail">{text}</code> : null;
              },
            },
          ]}
          rows={entries}
          rowKey={(row) => row.number}
        />
      ) : error ? null : (
        <Skeleton lines={5} label="Loading the audit log" />
      )}
      {error ? <ErrorState what="The audit log could not be read" message={error.message} onRetry={() => void load(entries?.at(-1)?.number)} /> : null}
      {entries && more && !error ? (
        <div class="form-actions">
          <Button onClick={() => void load(entries.at(-1)?.number)}>Show older</Button>
        </div>
      ) : null}
    </Section>
  );
}
