// A bar behind a row's text; percent of the row's width.
export function RowBar({ percent }: { percent: number }) {
  return <span class="row-bar" style={{ width: `${percent}%` }} aria-hidden="true" />;
}
