/** A table that becomes a list of cards on a phone. The roles are said again because a table that CSS lays out otherwise loses them. */
import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** `name`: says which row this is; `number`: at the right; `long`: may break anywhere; `acts`: buttons. */
  readonly kind?: 'name' | 'number' | 'long' | 'acts';
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}

export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <div class="table-frame">
      <table class="table" role="table">
        <caption class="for-readers">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, kind }) => <th key={title} scope="col" role="columnheader" class={kind}>{kind === 'acts' ? <span class="for-readers">{title}</span> : title}</th>)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map((column) => <Cell key={column.title} column={column} row={row} />)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column: { title, cell, kind }, row }: { readonly column: Column<Row>; readonly row: Row }) {
  if (kind === 'name') return <th scope="row" role="rowheader" class={kind}>{cell(row)}</th>;
  return <td role="cell" class={kind} data-title={title}>{cell(row)}</td>;
}
