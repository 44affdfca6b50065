import type { ComponentChildren } from "preact";

export interface Column<Row> {
  key: string;
  title: ComponentChildren;
  end?: boolean; // numbers stand at the end of the line
  oneLine?: boolean; // is not broken, however narrow the table
  sortable?: boolean;
  cell: (row: Row) => ComponentChildren;
}

export interface Sorting {
  key: string;
  descending: boolean;
}

// `caption` names the table for those who do not see it. `onSort` is told the column whose title was clicked. `stacks`: on a
// narrow screen a row's cells stand below each other, each under its title.
export function Table<Row>({
  caption,
  columns,
  rows,
  rowKey,
  sorting,
  onSort,
  stacks,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row, index: number) => string | number;
  sorting?: Sorting;
  onSort?: (key: string) => void;
  stacks?: boolean;
}) {
  const direction = (column: Column<Row>) =>
    sorting?.key === column.key ? (sorting.descending ? "descending" : "ascending") : undefined;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class={stacks ? "table table-stacks" : "table"} role="table">
        <caption class="sr-only">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.key} scope="col" role="columnheader" class={column.end ? "end" : undefined} aria-sort={direction(column)}>
                {column.sortable && onSort ? (
                  <button
                    type="button"
                    class="table-sort"
                    data-sorted={direction(column)?.slice(0, -6)}
                    onClick={() => onSort(column.key)}
                  >
                    {column.title}
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row, index) => (
            <tr key={rowKey(row, index)} role="row">
              {columns.map((column) => (
                <td
                  key={column.key}
                  role="cell"
                  class={column.end ? "end" : column.oneLine ? "one-line" : undefined}
                  data-title={stacks && typeof column.title === "string" ? column.title : undefined}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
