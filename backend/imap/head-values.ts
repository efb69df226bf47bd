/** What the header of a message tells (sort values, days, ids of threads), found out once for each message: out of the fields that are kept beside the index. */
import { chooseFields } from '../../shared/mime/kept-fields.ts';
import { readFields, readMessageHeader } from '../../shared/mime/part-header.ts';
import type { MessageHeader } from '../../shared/mime/part-header.ts';
import type { MessageRow } from '../storage/storage.ts';
import { KeptColumns } from './kept-values.ts';
import type { KeptColumn } from './kept-values.ts';
import type { View } from './view.ts';

/** Something that a header tells. */
export interface HeadColumn<Value> {
  /** By which it is kept: the same name, the same values. */
  readonly name: string;
  /** The fields that it is made of, in capitals; absent where the structure has ready what would have to be made of many. */
  readonly fields?: readonly string[];
  /** The header, of which no other fields need be known, is undefined where the message is gone. */
  readonly of: (row: MessageRow, header: MessageHeader | undefined) => Value;
}

const kept = new KeptColumns();

/** What is kept of the view's mailbox under that name. */
export function keptColumn<Value>({ lasting }: View, name: string): KeptColumn<Value> {
  return kept.of(`${lasting} ${name}`);
}

/** Tells the values of messages. */
export function headValues<Value>(view: View, column: HeadColumn<Value>): (row: MessageRow) => Value {
  const values = keptColumn<Value>(view, column.name);
  const linesOf = column.fields === undefined ? () => undefined : view.mailbox.headerFields(chooseFields(column.fields));
  return (row) => {
    const known = values.get(row.uid);
    if (known !== undefined) return known;
    const lines = linesOf(row);
    const header = lines === undefined ? view.mailbox.heads([row])[0] : readMessageHeader(readFields(lines));
    const value = column.of(row, header);
    if (header !== undefined) values.add(row.uid, value);
    return value;
  };
}
