/** What mail programs change: flags of many and of single messages, MOVE; and what a client hears that was away (QRESYNC). */
import type { Cell, Furnishing, Work } from './cell.ts';
import { compareAnswer } from './hits.ts';
import { addressOf, imapSession, parts } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import type { Shelf } from './reading-cells.ts';

/** At the same time, each by a session on a mailbox of its own. */
const fewMessages = 100;
const movedAtOnce = 1000;
const missedChanges = 100;

export function changingCells({ middle, big }: Shelf, connections: number): readonly Cell[] {
  const user = addressOf('solo', parts.mover);
  const [here, there] = [{ user, mailbox: 'Here', messages: middle.messages }, { user, mailbox: 'There', messages: 0 }];
  const few = Array.from({ length: connections }, (_, index): Furnishing => ({ user: addressOf('solo', parts.markers + index), mailbox: 'Few', messages: Math.min(fewMessages, middle.messages) }));
  return [
    { id: 'store-all', title: `STORE of all ${String(here.messages)} messages, one session`, unit: 'messages', needs: [here], prepare: async (store) => storesOfAll(store, here) },
    { id: 'store-each', title: `STORE of one message, ${String(connections)} connections`, unit: 'STOREs', needs: few, prepare: async (store) => storesOfOne(store, few) },
    { id: 'move', title: `MOVE of ${String(Math.min(movedAtOnce, here.messages))} messages, one session`, unit: 'messages', needs: [here, there], prepare: async (store) => moves(store, here, there) },
    { id: 'qresync', title: `SELECT with QRESYNC, ${String(Math.min(missedChanges, big.messages))} changes missed in ${String(big.messages)} messages, one session`, unit: 'SELECTs', needs: [big], prepare: async (store) => resyncs(store, big) },
  ];
}

async function storesOfAll(store: MailStore, { user, mailbox, messages }: Furnishing): Promise<Work> {
  const wire = await imapSession(store, user);
  await wire.ask(`s SELECT ${mailbox}\r\n`, 's OK');
  return {
    lanes: [async () => {
      for (const sign of ['+', '-']) await wire.ask(`f STORE 1:* ${sign}FLAGS.SILENT (\\Answered)\r\n`, 'f OK');
      return 2 * messages;
    }],
    end: () => wire.end(),
  };
}

async function storesOfOne(store: MailStore, places: readonly Furnishing[]): Promise<Work> {
  const wires = await Promise.all(places.map(async ({ user, mailbox }) => {
    const wire = await imapSession(store, user);
    await wire.ask(`s SELECT ${mailbox}\r\n`, 's OK');
    return wire;
  }));
  let turn = 0;
  return {
    lanes: wires.map((wire, index) => async () => {
      turn += 1;
      for (const sign of ['+', '-']) await wire.ask(`f STORE ${String((turn % (places[index]?.messages ?? 1)) + 1)} ${sign}FLAGS (\\Answered)\r\n`, 'f OK');
      return 2;
    }),
    end: () => {
      for (const wire of wires) wire.end();
    },
  };
}

/** There and back again. */
async function moves(store: MailStore, here: Furnishing, there: Furnishing): Promise<Work> {
  const wire = await imapSession(store, here.user);
  const count = Math.min(movedAtOnce, here.messages);
  await wire.ask(`s SELECT ${here.mailbox}\r\n`, 's OK');
  return {
    lanes: [async () => {
      for (const [from, to] of [[here, there], [there, here]] as const) {
        await wire.ask(`m MOVE 1:${String(count)} ${to.mailbox}\r\n`, 'm OK');
        await wire.ask(`s SELECT ${(from === here ? there : here).mailbox}\r\n`, 's OK');
      }
      return 2 * count;
    }],
    end: () => wire.end(),
  };
}

async function resyncs(store: MailStore, { user, mailbox, messages }: Furnishing): Promise<Work> {
  const changes = Math.min(missedChanges, messages);
  const [wire, other] = [await imapSession(store, user), await imapSession(store, user)];
  await wire.ask('e ENABLE QRESYNC\r\n', 'e OK');
  const opened = await wire.read(`s SELECT ${mailbox}\r\n`, 's OK');
  const [, validity = ''] = /UIDVALIDITY (\d+)/.exec(opened) ?? [];
  const [, modseq = ''] = /HIGHESTMODSEQ (\d+)/.exec(opened) ?? [];
  await other.ask(`s SELECT ${mailbox}\r\n`, 's OK');
  for (const sign of ['+', '-']) await other.ask(`f STORE 1:${String(changes)} ${sign}FLAGS.SILENT (\\Draft)\r\n`, 'f OK');
  other.end();
  const command = `s SELECT ${mailbox} (QRESYNC (${validity} ${modseq}))\r\n`;
  const answer = await wire.read(command, 's OK');
  compareAnswer('QRESYNC', store, String(answer.match(/^\* \d+ FETCH /gm)?.length));
  return {
    lanes: [async () => {
      await wire.ask(command, 's OK');
      return 1;
    }],
    end: () => wire.end(),
  };
}
