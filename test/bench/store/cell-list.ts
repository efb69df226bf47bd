/** Which cells there are. */
import type { Cell } from './cell.ts';
import { changingCells } from './changing-cells.ts';
import { deliveryCells } from './delivery-cells.ts';
import { pop3Cells } from './pop3-cells.ts';
import { readingCells, shelfOf } from './reading-cells.ts';
import { searchingCells } from './searching-cells.ts';

/** The big mailbox has ten times the messages of the middle one, which has ten times those that POP3 reads. */
export function cellsOf({ bigMailbox, connections }: { readonly bigMailbox: number; readonly connections: number }): readonly Cell[] {
  const middle = Math.ceil(bigMailbox / 10);
  const shelf = shelfOf({ big: bigMailbox, middle });
  return [...deliveryCells(connections), ...readingCells(shelf), ...searchingCells(shelf), ...changingCells(shelf, connections), ...pop3Cells(Math.ceil(middle / 10))];
}
