/** What packs are to remember of messages that are copied: where each is now, and with which marks. */
import { getMailbox, keywordNames } from '../entries.ts';
import type { AccountEntry } from '../entries.ts';
import type { Environment } from '../environment.ts';
import type { MessageRow } from '../interface.ts';
import type { Tables } from '../keys.ts';
import { nameToNote } from '../lots.ts';
import type { DeliveryNote, PackPlace } from '../packs.ts';
import { blockNow, ownerOf } from '../mailbox-rows.ts';
import { collectRows, emptyBlock } from '../row-block.ts';
import { freshPagesOf } from '../table-pages.ts';

export interface Notes {
  /** One for each mailbox that had the message, for its bytes at the place where they are copied to. */
  of(messageId: number, copied: { readonly from: PackPlace; readonly to: PackPlace }): readonly DeliveryNote[];
}

type RowOfMailbox = Pick<MessageRow, 'flags' | 'keywords' | 'internalDateMs'> & { readonly mailbox: number };

/** Blocks of rows that are looked at without a pause. */
const blocksAtOnce = 200;

export async function notesFor(environment: Environment, tables: Tables, messages: ReadonlySet<number>): Promise<Notes> {
  const rows = new Map<number, RowOfMailbox[]>();
  const addresses = new Map<number, string>();
  if (messages.size > 0) {
    for await (const page of freshPagesOf(environment, tables.rows, blocksAtOnce)) {
      for (const { key: [mailbox, number], value } of page) {
        if (wanted(value, messages).length === 0) continue;
        const now = environment.read(() => blockNow(tables, ownerOf(tables, Number(mailbox)), Number(number))); // with its mailbox, of one commit
        for (const row of wanted(now ?? emptyBlock, messages)) add(rows, row, Number(mailbox));
      }
    }
    for await (const page of freshPagesOf(environment, tables.accounts)) {
      for (const { value } of page) noteAddress(addresses, JSON.parse(value.toString()) as AccountEntry);
    }
  }
  return {
    of: (messageId, { from: copiedFrom, to: place }) => (rows.get(messageId) ?? []).flatMap(({ mailbox, flags, keywords, internalDateMs }): DeliveryNote[] => {
      const entry = environment.read(() => getMailbox(tables, mailbox));
      const account = entry === undefined ? undefined : addresses.get(entry.account);
      if (entry === undefined || account === undefined) return [];
      return [{ place, copiedFrom, account, mailbox: environment.read(() => nameToNote(tables, entry)), internalDateMs, flags, keywords: keywordNames(entry.keywords, keywords) }];
    }),
  };
}

function wanted(block: Buffer, messages: ReadonlySet<number>): readonly MessageRow[] {
  const rows: MessageRow[] = [];
  collectRows(block, { fromUid: 0, toUid: 2 ** 32 - 1, sinceModseq: -1 }, rows);
  return rows.filter(({ messageId }) => messages.has(messageId));
}

function add(rows: Map<number, RowOfMailbox[]>, { messageId, flags, keywords, internalDateMs }: MessageRow, mailbox: number): void {
  const row = { flags, keywords, internalDateMs, mailbox };
  const known = rows.get(messageId);
  if (known === undefined) rows.set(messageId, [row]);
  else known.push(row);
}

function noteAddress(addresses: Map<number, string>, { number, address }: AccountEntry): void {
  addresses.set(number, address);
}
