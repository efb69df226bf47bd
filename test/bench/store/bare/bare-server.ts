/**
 * A bare server of Node: what no server of mail on Node can do without, so that the bench can tell how much room is above ours. Two processes that get connections by turns,
 * as ours; each reads commands to their end, gives UIDs, writes what has to last into a file of its own (a record, and the message's bytes), flushes once for all who wait, and answers.
 *
 * It does not do: passwords and rights; rules of a connection (limits, times, states, the log); one truth for both processes (each counts the messages of a mailbox by itself, so two
 * would give the same UID; nothing is told to other sessions); an index (one kind has records in an LMDB, which nobody reads), checksums, the structure of messages, quotas, repeats of deliveries; anything after a restart. Nor does it check what it reads.
 *
 * `node bare-server.ts JSON`, as `BareSettings` in bare-store.ts has it.
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { BareImap } from './bare-imap.ts';
import type { BareState } from './bare-imap.ts';
import { BareLmtp } from './bare-lmtp.ts';
import { BareMailbox } from './bare-mailboxes.ts';
import type { BareSettings } from './bare-store.ts';
import { openRecordBatches } from './record-batches.ts';

const settings = JSON.parse(process.argv[2] ?? '') as BareSettings;
if (cluster.isPrimary) {
  void runWorkers();
} else {
  process.once('message', () => serve(settings));
  process.send?.('ready');
}

/** Both begin to listen together: until then the other would get all connections. */
async function runWorkers(): Promise<void> {
  const workers = [cluster.fork(), cluster.fork()];
  for (const worker of workers) worker.once('exit', () => process.exit(1));
  await Promise.all(workers.map(async (worker) => once(worker, 'message')));
  for (const worker of workers) worker.send('listen');
}

function serve({ folder, durability, ports, certificates, mailboxes }: BareSettings): void {
  const known = new Map<string, BareMailbox>();
  const state: BareState = {
    records: openRecordBatches(folder, durability),
    mailbox: (user, name) => {
      const key = `${user} ${name}`;
      const mailbox = known.get(key) ?? new BareMailbox(mailboxes[name] ?? 0);
      known.set(key, mailbox);
      return mailbox;
    },
  };
  createServer((socket) => new BareImap(socket, state)).listen(ports.imap, '127.0.0.1');
  createTlsServer({ cert: readFileSync(certificates.certificate), key: readFileSync(certificates.key) }, (socket) => new BareLmtp(socket, state)).listen(ports.lmtp, '127.0.0.1');
}
