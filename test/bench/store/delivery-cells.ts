/** Mail that comes in: LMTP deliveries and APPEND, every message on stable storage before the answer. */
import type { Cell, Lane, Work } from './cell.ts';
import { addressOf, imapSession, lmtpSession, parts, usersOfEachKind } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import { sampleMail } from './sample-mail.ts';
import type { Wire } from './wire.ts';

/** Bodies that are sent again and again, under another Message-ID: making each message anew would be the load's work, not the server's. */
const differentBodies = 200;
const bodies = new Map<number, readonly Buffer[]>();
const lineEnd = Buffer.from('\r\n');
const finalDot = Buffer.from('\r\n.\r\n');
let sent = 0;

/** Each is another. Bytes made beforehand: to encode a text for each would be work of the load's. */
function freshMail(bytes: number): readonly [Buffer, Buffer] {
  let known = bodies.get(bytes);
  if (known === undefined) {
    known = Array.from({ length: differentBodies }, (_, index) => Buffer.from(sampleMail(index, bytes).toString('latin1').replace(/^Message-ID:.*\r\n/m, ''), 'latin1'));
    bodies.set(bytes, known);
  }
  sent += 1;
  return [Buffer.from(`Message-ID: <${String(process.pid)}.${String(process.hrtime.bigint())}.${String(sent)}@example.net>\r\n`), known[sent % differentBodies] ?? lineEnd];
}

/** One delivery. No line of a sample begins with a dot. */
async function deliver(wire: Wire, to: string, mail: readonly Buffer[]): Promise<void> {
  await wire.ask(`MAIL FROM:<sender@example.net>\r\nRCPT TO:<${to}>\r\nDATA\r\n`, '354');
  await wire.ask(Buffer.concat([...mail, finalDot]), '250 ');
}

/** Deliveries by so many sessions at once. */
export async function deliveries(store: MailStore, connections: number, recipient: (turn: number) => string): Promise<Work> {
  const wires = await Promise.all(Array.from({ length: connections }, async () => lmtpSession(store)));
  let turn = 0;
  return {
    lanes: wires.map((wire): Lane => async () => {
      turn += 1;
      await deliver(wire, recipient(turn), freshMail(4096));
      return 1;
    }),
    end: async () => {
      for (const wire of wires) await wire.ask('QUIT\r\n', '221').finally(() => wire.end());
    },
  };
}

/** APPENDs by so many sessions at once, each to a mailbox of its own. */
export async function appends(store: MailStore, connections: number, bytes: number): Promise<Work> {
  const wires = await Promise.all(Array.from({ length: connections }, async (_, index) => imapSession(store, addressOf('solo', parts.appenders + index))));
  return {
    lanes: wires.map((wire): Lane => async () => {
      const mail = freshMail(bytes);
      const size = mail.reduce((sum, { length }) => sum + length, 0);
      await wire.ask(Buffer.concat([Buffer.from(`a APPEND INBOX {${String(size)}+}\r\n`), ...mail, lineEnd]), 'a OK');
      return 1;
    }),
    end: () => {
      for (const wire of wires) wire.end();
    },
  };
}

export function deliveryCells(connections: number): readonly Cell[] {
  const lmtp = (id: string, to: string, recipient: (turn: number) => string): Cell => ({
    id, title: `LMTP, 4 kB to ${to}, ${String(connections)} connections`, unit: 'deliveries', needs: [], prepare: async (store) => deliveries(store, connections, recipient),
  });
  const append = (id: string, bytes: number, size: string): Cell => ({
    id, title: `APPEND, ${size}, ${String(connections)} connections`, unit: 'appends', needs: [], prepare: async (store) => appends(store, connections, bytes),
  });
  return [
    lmtp('lmtp-many', `${String(usersOfEachKind)} users`, (turn) => addressOf('many', turn % usersOfEachKind)),
    lmtp('lmtp-one', 'one user', () => addressOf('solo', parts.single)),
    append('append-4k', 4096, '4 kB'),
    append('append-100k', 102_400, '100 kB'),
  ];
}
