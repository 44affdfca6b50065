import { dayRange, month } from "../format/dates";
import { day } from "../format/dates";
import { PRESETS, mayCompare, samePeriod, step, type Period } from "../state/periods";
import { USUAL_COMPARISON, type Comparison } from "../state/dashboard";
import { useProject } from "../state/project";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu, type MenuEntry } from "../ui/Menu";

export function periodTitle(period: Period, today: string): string {
  const preset = PRESETS.find((each) => each !== null && samePeriod(each.period(today), period, today));
  if (preset) return preset.title;
  if (period.name === "custom" && period.from && period.to) return dayRange(period.from, period.to);
  if (period.name === "month" && period.date) return month(period.date);
  if (period.name === "year" && period.date) return period.date.slice(0, 4);
  return period.date ? day(period.date) : period.name;
}

export function comparisonTitle(comparison: Comparison): string {
  if (comparison.mode === "custom") return dayRange(comparison.from!, comparison.to!);
  return comparison.mode === "year" ? "Year before" : "Period before";
}

// Presets, a range of one's own, one step back or on, and what it is compared with. `onCustom` opens the calendar.
export function PeriodPicker({ onCustom }: { onCustom: (what: "range" | "comparison") => void }) {
  const { state, today, go } = useProject();
  const { period, comparison } = state;
  const [back, on] = [step(period, -1, today), step(period, 1, today)];
  const compare = (next: Comparison | null) => go({ comparison: next });
  const presets: MenuEntry[] = PRESETS.map((preset) =>
    preset === null
      ? { kind: "rule" }
      : {
          key: preset.key,
          title: preset.title,
          hint: preset.key,
          checked: samePeriod(preset.period(today), period, today),
          onPick: () => go({ period: preset.period(today), interval: null }),
        },
  );
  const comparable = mayCompare(period);
  const exact = comparison?.exactDates ?? false;
  return (
    <div class="periods">
      {back || on ? (
        <div class="period-steps">
          <Button icon small look="plain" aria-label="The period before" aria-keyshortcuts="ArrowLeft" disabled={!back} onClick={() => back && go({ period: back })}>
            <Icon name="left" />
          </Button>
          <Button icon small look="plain" aria-label="The period after" aria-keyshortcuts="ArrowRight" disabled={!on} onClick={() => on && go({ period: on })}>
            <Icon name="right" />
          </Button>
        </div>
      ) : null}
      <Menu
        label="Range"
        title={
          <>
            <Icon name="calendar" /> {periodTitle(period, today)}
          </>
        }
        entries={[
          ...presets,
          { key: "custom", title: "Custom range…", hint: "C", checked: period.name === "custom", onPick: () => onCustom("range") },
          ...(comparable
            ? ([
                { kind: "rule" },
                {
                  key: "compare",
                  title: comparison ? "Do not compare" : "Compare",
                  hint: "X",
                  onPick: () => compare(comparison ? null : USUAL_COMPARISON),
                },
              ] satisfies MenuEntry[])
            : []),
        ]}
      />
      {comparison && comparable ? (
        <Menu
          label="Compared"
          title={
            <>
              <span class="period-versus">vs.</span> {comparisonTitle(comparison)}
            </>
          }
          entries={[
            { key: "previous", title: "Period before", checked: comparison.mode === "previous", onPick: () => compare({ mode: "previous", exactDates: exact }) },
            { key: "year", title: "Year before", checked: comparison.mode === "year", onPick: () => compare({ mode: "year", exactDates: exact }) },
            { key: "custom", title: "Custom range…", checked: comparison.mode === "custom", onPick: () => onCustom("comparison") },
            ...(comparison.mode === "custom"
              ? []
              : ([
                  { kind: "rule" },
                  { key: "weekday", title: "Match weekdays", checked: !exact, onPick: () => compare({ ...comparison, exactDates: false }) },
                  { key: "date", title: "Match exact dates", checked: exact, onPick: () => compare({ ...comparison, exactDates: true }) },
                ] satisfies MenuEntry[])),
            { kind: "rule" },
            { key: "none", title: "Do not compare", hint: "X", onPick: () => compare(null) },
          ]}
        />
      ) : null}
    </div>
  );
}
