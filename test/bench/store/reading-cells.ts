/** What mail programs read: FETCH of a whole mailbox by one session, and opening it. */
import type { Cell, Furnishing, Work } from './cell.ts';
import { addressOf, imapSession, parts } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';

/** The mailboxes that are read, searched and sorted. */
export interface Shelf {
  readonly middle: Furnishing;
  readonly big: Furnishing;
}

export function shelfOf(messages: { readonly middle: number; readonly big: number }): Shelf {
  const user = addressOf('solo', parts.reader);
  return { middle: { user, mailbox: 'Middle', messages: messages.middle }, big: { user, mailbox: 'Big', messages: messages.big } };
}

const items = [
  ['flags', 'FLAGS'],
  ['envelopes', 'ENVELOPE'],
  ['headers', 'BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]'],
  ['structures', 'BODYSTRUCTURE'],
  ['bodies', 'BODY.PEEK[]'],
] as const;

/** A session in which one command is given again and again. */
export async function repeated(store: MailStore, { user, mailbox, command, units }: { readonly user: string; readonly mailbox: string; readonly command: string; readonly units: number }): Promise<Work> {
  const wire = await imapSession(store, user);
  await wire.ask(`s SELECT ${mailbox}\r\n`, 's OK');
  return {
    lanes: [async () => {
      await wire.ask(`f ${command}\r\n`, 'f OK');
      return units;
    }],
    end: () => wire.end(),
  };
}

export function readingCells({ middle, big }: Shelf): readonly Cell[] {
  const fetches = [middle, big].flatMap((place) => items.map(([id, item]): Cell => ({
    id: `fetch-${id}-${place === big ? 'big' : 'middle'}`, title: `FETCH 1:* of ${id}, ${String(place.messages)} messages, one session`, unit: 'messages', needs: [place],
    prepare: async (store) => repeated(store, { ...place, command: `FETCH 1:* (${item})`, units: place.messages }),
  })));
  return [...fetches, {
    id: 'open-big', title: `SELECT of ${String(big.messages)} messages, one session`, unit: 'SELECTs', needs: [big],
    prepare: async (store) => repeated(store, { ...big, command: `SELECT ${big.mailbox}`, units: 1 }),
  }];
}
