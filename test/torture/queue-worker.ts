/**
 * A node of the torture that takes mail in and works its queue off: `node queue-worker.ts '<QueueTask as JSON>'`. Clients of
 * its own bring messages, into accounts directly or into the queue, and write down what they were answered.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import { createLog } from '../../shared/log/log.ts';
import type { ArrivingMessage } from '../../backend/processing/processing.ts';
import { bytesOfMade } from './actions.ts';
import type { MadeMessage } from './actions.ts';
import { openQueueNode } from './queue-node.ts';
import type { QueueNode } from './queue-node.ts';

/** One message as a client brings it, once or again. */
export interface Errand {
  readonly message: MadeMessage;
  readonly recipients: readonly string[];
  readonly way: 'accounts' | 'queue';
}

export interface QueueTask {
  readonly directory: string;
  readonly ledger: string;
  readonly clients: number;
  readonly errands: readonly Errand[];
}

/** `taken` and `refused` name recipients: with accounts each has an answer of its own. */
export type QueueLine =
  | { readonly at: 'start' }
  | { readonly at: 'brought'; readonly message: MadeMessage; readonly recipients: readonly string[] }
  | { readonly at: 'taken' | 'refused'; readonly token: string; readonly recipients: readonly string[] }
  | { readonly at: 'end' };

const task = JSON.parse(process.argv[2] ?? '{}') as QueueTask;
const ledger = openSync(task.ledger, 'a');

function note(line: QueueLine): void {
  writeSync(ledger, `${JSON.stringify(line)}\n`);
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield bytes;
}

async function bring(node: QueueNode, { message, recipients, way }: Errand): Promise<void> {
  const { token } = message;
  note({ at: 'brought', message, recipients });
  const arriving: ArrivingMessage = {
    sender: { address: 'sender@example.net' }, trace: 'Received: from client\r\n', bytes: pieces(bytesOfMade(message)), maxBytes: 2 ** 24, handedOver: undefined,
  };
  try {
    if (way === 'queue') {
      const { settle } = await node.processing.enqueue(arriving, recipients.map((address) => ({ address })));
      note({ at: 'taken', token, recipients });
      settle('confirmed');
      return;
    }
    const { outcomes, settle } = await node.processing.deliver(arriving, await Promise.all(recipients.map((address) => node.storage.createAccount(address))));
    const isTaken = (_: string, index: number): boolean => outcomes[index]?.at === 'stored';
    note({ at: 'taken', token, recipients: recipients.filter(isTaken) });
    note({ at: 'refused', token, recipients: recipients.filter((address, index) => !isTaken(address, index)) });
    settle('confirmed');
  } catch (error) {
    if (!isFailure(error)) throw error;
    note({ at: 'refused', token, recipients });
  }
}

note({ at: 'start' });
try {
  await work(await openQueueNode(task.directory, createLog({ node: 'be1', level: 'silent' })));
} catch (error) {
  if (!isFailure(error)) throw error; // a node whose disk fails at its start ends
}
note({ at: 'end' });

async function work(node: QueueNode): Promise<void> {
  const waiting = [...task.errands];
  await Promise.all(Array.from({ length: task.clients }, async () => {
    for (let errand = waiting.shift(); errand !== undefined; errand = waiting.shift()) await bring(node, errand);
  }));
  for (let turns = 0; turns < 40 && !node.isQueueEmpty(); turns += 1) await sleep(25);
  await node.close();
}
