/** What clients were told about mail for the queue, compared with what lies in the mailboxes once the queue is empty. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOfMade } from './actions.ts';
import type { MadeMessage } from './actions.ts';
import { assertStructure } from './found-structure.ts';
import type { QueueNode } from './queue-node.ts';
import type { QueueLine } from './queue-worker.ts';

export const addresses = ['alice@example.com', 'bob@example.com', 'carol@example.com'] as const;

const drainedWithinMs = 20_000;

export class QueueLedger {
  /** Token → message. */
  readonly #brought = new Map<string, MadeMessage>();
  /** Token and recipient → whether a client was told 250. */
  readonly #told = new Map<string, boolean>();

  add(lines: readonly QueueLine[]): void {
    for (const line of lines) {
      if (line.at === 'brought') this.#brought.set(line.message.token, line.message);
      if (line.at !== 'brought' && line.at !== 'taken') continue;
      const token = line.at === 'brought' ? line.message.token : line.token;
      for (const address of line.recipients) {
        const key = `${token} ${address}`;
        this.#told.set(key, line.at === 'taken' || this.#told.get(key) === true);
      }
    }
  }

  /** How many messages were brought. */
  get size(): number {
    return this.#brought.size;
  }

  /** Recipients of that token who wait for a 250. */
  untold(token: string, recipients: readonly string[]): string[] {
    return recipients.filter((address) => this.#told.get(`${token} ${address}`) !== true);
  }

  /** Waits until the queue is empty; throws when a message that was taken is not there exactly once, or one that was brought is there twice. */
  async compare(node: QueueNode): Promise<void> {
    const untilMs = Date.now() + drainedWithinMs;
    while (!node.isQueueEmpty() && Date.now() < untilMs) await sleep(10);
    assert.deepEqual(node.processing.list({ from: '', limit: 10 }), [], 'the queue is empty');
    for (const address of addresses) {
      const counts = await this.#countIn(node, address);
      const wrong = [...this.#told].filter(([key, told]) => key.endsWith(` ${address}`) && !isRight(counts.get(key.split(' ')[0] ?? '') ?? 0, told));
      assert.deepEqual(wrong, [], `messages of ${address} that are missing, or there twice`);
    }
  }

  async #countIn({ storage }: QueueNode, address: string): Promise<ReadonlyMap<string, number>> {
    const record = storage.find(address);
    const inbox = record.at === 'live' ? record.account.mailbox('INBOX') : undefined;
    const counts = new Map<string, number>();
    if (inbox === undefined) return counts;
    for (const row of inbox.rows()) {
      const message = inbox.message(row.uid);
      assert.ok(message !== undefined, `uid ${row.uid} has a row and no message`);
      const bytes = await message.read(0, message.size);
      assertStructure(inbox, row, { message, bytes });
      const token = /^Subject: (.*)\r$/mu.exec(bytes.toString('latin1'))?.[1] ?? '';
      const brought = this.#brought.get(token);
      assert.ok(brought !== undefined && bytes.subarray(bytes.indexOf('From: a@')).equals(bytesOfMade(brought)), `the bytes of ${token}`);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    return counts;
  }
}

function isRight(count: number, told: boolean): boolean {
  return count === 1 || (count === 0 && !told);
}
