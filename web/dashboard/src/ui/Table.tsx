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

// `caption` names the table for those who do not see it. `onSort` is told the column whose title was clicked.
export function Table<Row>({
  caption,
  columns,
  rows,
  rowKey,
  sorting,
  onSort,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row, index: number) => string | number;
  sorting?: Sorting;
  onSort?: (key: string) => void;
}) {
  const direction = (column: Column<Row>) =>
    sorting?.key === column.key ? (sorting.descending ? "descending" : "ascending") : undefined;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="table">
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" class={column.end ? "end" : undefined} aria-sort={direction(column)}>
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
        <tbody>
          {rows.map((row, index) => (
            <tr key={rowKey(row, index)}>
              {columns.map((column) => (
                <td key={column.key} class={column.end ? "end" : column.oneLine ? "one-line" : undefined}>
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
