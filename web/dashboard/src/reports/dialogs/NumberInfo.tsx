import { baseQuery, comparisons } from "../../state/dashboard";
import { METRICS, write } from "../../state/metrics";
import { useProject } from "../../state/project";
import { useQuery } from "../../state/useQuery";
import { moment } from "../../format/dates";
import { number } from "../../format/numbers";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ErrorState, Skeleton } from "../../ui/States";
import { toast } from "../../ui/Toast";
import { coverageWords } from "../Coverage";
import { DEFINITIONS } from "./definitions";

const TRAFFIC: Record<string, string> = {
  human: "people",
  bot: "bots",
  ai_crawler: "AI crawlers",
  monitor: "monitors",
  spam: "spam",
  internal: "internal traffic",
};

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("The browser did not let it be copied; select it instead", "bad");
  }
}

// What a number means, what it covers, and the statement that it comes from.
export function NumberInfo({ metric, onClose }: { metric: string; onClose: () => void }) {
  const { project, state, today } = useProject();
  const answer = useQuery({
    ...baseQuery(project.name, state, today),
    metrics: [metric],
    include: { coverage: true, sql: true, comparisons: comparisons(state) },
  });
  const about = METRICS[metric];
  const title = about?.title ?? metric;
  let body;
  if (answer.error) body = <ErrorState what="It could not be asked" message={answer.error.message} onRetry={answer.retry} />;
  else if (!answer.data) body = <Skeleton lines={5} />;
  else {
    const { meta, results, query } = answer.data;
    const sql = (meta.sql ?? []).join("\n\n");
    body = (
      <>
        <p class="info-value numbers">{write(metric, results[0]?.metrics[0], "long")}</p>
        <h3>What it covers</h3>
        <p>
          {moment(query.date_range[0])} to {moment(query.date_range[1])}: {coverageWords(answer.data).join("; ")}.
        </p>
        {meta.coverage ? (
          <dl class="info-coverage">
            {Object.entries(meta.coverage).map(([label, events]) => (
              <div key={label}>
                <dt>{TRAFFIC[label] ?? label}</dt>
                <dd class="numbers">{number(events)} events</dd>
              </div>
            ))}
          </dl>
        ) : null}
        {sql ? (
          <>
            <div class="info-head">
              <h3>The SQL behind it</h3>
              <Button small onClick={() => void copy(sql)}>
                Copy
              </Button>
            </div>
            <pre class="info-sql" tabIndex={0} aria-label="SQL">
              {sql}
            </pre>
          </>
        ) : null}
      </>
    );
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="info-definition">{DEFINITIONS[metric]}</p>
      {body}
    </Dialog>
  );
}
