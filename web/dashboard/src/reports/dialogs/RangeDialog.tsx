import { useState } from "preact/hooks";
import { day, month, weekdayName } from "../../format/dates";
import { addDays, addMonths, daysInMonth, firstOfMonth, isDay, weekday } from "../../format/days";
import { useProject } from "../../state/project";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { Icon } from "../../ui/Icon";

// One month of the calendar. Arrow keys move by days, Page Up and Down by months.
function Calendar({
  shown,
  from,
  to,
  last,
  onShow,
  onPick,
}: {
  shown: string; // the focused day
  from: string | null;
  to: string | null;
  last: string; // no day after it can be chosen
  onShow: (day: string) => void;
  onPick: (day: string) => void;
}) {
  const first = firstOfMonth(shown);
  const days = Array.from({ length: daysInMonth(shown) }, (_, index) => addDays(first, index));
  const cells: (string | null)[] = [...new Array<null>(weekday(first)).fill(null), ...days];
  const weeks = Array.from({ length: Math.ceil(cells.length / 7) }, (_, week) => cells.slice(week * 7, week * 7 + 7));
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, string> = {
      ArrowLeft: addDays(shown, -1),
      ArrowRight: addDays(shown, 1),
      ArrowUp: addDays(shown, -7),
      ArrowDown: addDays(shown, 7),
      PageUp: addMonths(shown, -1),
      PageDown: addMonths(shown, 1),
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const target = next > last ? last : next;
    onShow(target);
    const table = event.currentTarget as HTMLElement;
    requestAnimationFrame(() => table.querySelector<HTMLElement>(`[data-day="${target}"]`)?.focus());
  };
  return (
    <div class="calendar">
      <div class="calendar-head">
        <Button icon small look="plain" aria-label="The month before" onClick={() => onShow(addMonths(shown, -1))}>
          <Icon name="left" />
        </Button>
        <strong aria-live="polite">{month(first)}</strong>
        <Button icon small look="plain" aria-label="The month after" disabled={addMonths(first, 1) > last} onClick={() => onShow(addMonths(first, 1))}>
          <Icon name="right" />
        </Button>
      </div>
      <table aria-label={month(first)} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            {[1, 2, 3, 4, 5, 6, 7].map((number) => (
              <th key={number} scope="col">
                {weekdayName(number)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week, index) => (
            <tr key={index}>
              {[...week, ...new Array<null>(7 - week.length).fill(null)].map((each, at) => {
                if (each === null) return <td key={at} />;
                const end = each === from || each === to;
                const inside = from !== null && to !== null && each >= from && each <= to;
                return (
                  <td key={each} class={inside ? "calendar-inside" : undefined}>
                    <button
                      type="button"
                      data-day={each}
                      class={end ? "calendar-day calendar-end" : "calendar-day"}
                      aria-pressed={end}
                      aria-label={day(each)}
                      tabIndex={each === shown ? 0 : -1}
                      autofocus={each === shown}
                      disabled={each > last}
                      onClick={() => onPick(each)}
                    >
                      {Number(each.slice(8))}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// A range of one's own, by clicks in the calendar or written.
export function RangeDialog({ what, onClose }: { what: "range" | "comparison"; onClose: () => void }) {
  const { state, today, go } = useProject();
  const given: { from?: string; to?: string } = what === "range" ? state.period : (state.comparison ?? {});
  const [from, setFrom] = useState(given.from ?? "");
  const [to, setTo] = useState(given.to ?? "");
  const [shown, setShown] = useState(given.to ?? today);
  const valid = isDay(from) && isDay(to) && from <= to && from <= today;
  const pick = (picked: string) => {
    setShown(picked);
    // The first click begins, the second ends; a third begins anew.
    if (isDay(from) && !isDay(to)) {
      setFrom(picked < from ? picked : from);
      setTo(picked < from ? from : picked);
    } else {
      setFrom(picked);
      setTo("");
    }
  };
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    if (!valid) return;
    if (what === "comparison") go({ comparison: { mode: "custom", from, to, exactDates: state.comparison?.exactDates ?? false } });
    else if (from === to) go({ period: from === today ? { name: "day" } : { name: "day", date: from }, interval: null });
    else go({ period: { name: "custom", from, to }, interval: null });
    onClose();
  };
  return (
    <Dialog title={what === "range" ? "Custom range" : "Compare with"} onClose={onClose}>
      <form class="range" onSubmit={apply}>
        <Calendar shown={shown} from={isDay(from) ? from : null} to={isDay(to) ? to : null} last={today} onShow={setShown} onPick={pick} />
        <div class="range-fields">
          <TextField label="From" type="date" value={from} max={today} onText={setFrom} required />
          <TextField
            label="To"
            type="date"
            value={to}
            max={today}
            onText={setTo}
            required
            error={isDay(from) && isDay(to) && from > to ? "It ends before it begins" : null}
          />
          <Button look="primary" type="submit" disabled={!valid}>
            Apply
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
