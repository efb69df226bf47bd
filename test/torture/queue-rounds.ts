/**
 * A node's queue under torture: in each round a node takes mail and is killed at a step of its queue or of its storage, or
 * meets a fault of its disk; clients that were not told 250 come again. In the end everything is delivered exactly once.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../../shared/log/log.ts';
import { bytesOfMade, readLedger } from './actions.ts';
import { audit } from './audit.ts';
import type { Dice } from './dice.ts';
import { startProcess } from './process.ts';
import { mailDirectory, openQueueNode, queueDirectory } from './queue-node.ts';
import type { QueueNode } from './queue-node.ts';
import type { Errand, QueueLine, QueueTask } from './queue-worker.ts';
import { injectionOf } from './steps.ts';
import type { Step } from './steps.ts';

const script = join(import.meta.dirname, 'queue-worker.ts');
const addresses = ['alice@example.com', 'bob@example.com', 'carol@example.com'];
const clients = 4;
const drainedWithinMs = 20_000;

/** A step in the queue's directory, or in that of the mail. */
export interface QueueTorment {
  readonly step: Step;
  readonly count: number;
  readonly where: 'queue' | 'mail';
}

export class QueueTorture {
  readonly #directory: string;
  readonly #dice: Dice;
  readonly #all: Errand[] = [];
  /** Recipients of a token who are still to be told 250. */
  readonly #untold = new Map<string, Set<string>>();
  #round = 0;

  /** @param directory an empty one. */
  constructor(directory: string, dice: Dice) {
    this.#directory = directory;
    this.#dice = dice;
    mkdirSync(directory, { recursive: true });
  }

  /** Answers where it struck, as a system call, or undefined when it did not. */
  async round(torment: QueueTorment | undefined): Promise<string | undefined> {
    this.#round += 1;
    const ledger = join(this.#directory, `ledger-${this.#round}`);
    appendFileSync(ledger, '');
    const task: QueueTask = { directory: this.#directory, ledger, clients, errands: this.#errands() };
    const running = startProcess(script, task, torment === undefined ? undefined : {
      injection: injectionOf(torment.step, { directory: torment.where === 'queue' ? queueDirectory(this.#directory) : mailDirectory(this.#directory), ledger }, torment.count),
      traceFile: join(this.#directory, 'trace'),
    });
    const outcome = await running.ended;
    if (outcome.end === 'failed') throw new Error(`a node failed by itself:\n${outcome.words}`);
    for (const line of readLedger<QueueLine>(ledger)) this.#addLine(line);
    const did = outcome.end === 'died' || outcome.struckAt?.includes('INJECTED') === true;
    return did ? outcome.struckAt : undefined;
  }

  /** Lets clients come again until all were told 250 and the queue is empty; then counts what is in the mailboxes. */
  async verify(): Promise<number> {
    for (let tries = 0; this.#untold.size > 0; tries += 1) {
      assert.ok(tries < 3, 'a node that nobody torments takes all mail');
      await this.#roundOfRepeats();
    }
    const node = await openQueueNode(this.#directory, createLog({ node: 'be1', level: 'silent' }));
    try {
      const untilMs = Date.now() + drainedWithinMs;
      while (!node.isQueueEmpty() && Date.now() < untilMs) await sleep(20);
      assert.deepEqual(node.processing.list({ from: '', limit: 10 }), [], 'the queue is empty');
      for (const address of addresses) await this.#compare(node, address);
    } finally {
      await node.close();
    }
    await audit(mailDirectory(this.#directory));
    return this.#all.length;
  }

  async #roundOfRepeats(): Promise<void> {
    const struck = await this.round(undefined);
    assert.equal(struck, undefined);
  }

  /** Retries first, then some new messages. */
  #errands(): Errand[] {
    const again = this.#all.flatMap((errand) => {
      const recipients = this.#untold.get(errand.message.token);
      return recipients === undefined ? [] : [{ ...errand, recipients: [...recipients], way: this.#dice.pick(['accounts', 'queue'] as const) }];
    });
    const fresh = Array.from({ length: 12 }, (_, index): Errand => ({
      message: { token: `${this.#dice.below(2 ** 30)}.${this.#round}.${index}`, bytes: this.#dice.oneIn(20) ? 300_000 : 200 + this.#dice.below(4000) },
      recipients: this.#dice.some(addresses), way: this.#dice.pick(['accounts', 'queue', 'queue']),
    }));
    this.#all.push(...fresh);
    for (const { message, recipients } of fresh) this.#untold.set(message.token, new Set(recipients));
    return [...again, ...fresh];
  }

  #addLine(line: QueueLine): void {
    if (line.at !== 'taken') return;
    const untold = this.#untold.get(line.token);
    for (const address of line.recipients) untold?.delete(address);
    if (untold?.size === 0) this.#untold.delete(line.token);
  }

  async #compare(node: QueueNode, address: string): Promise<void> {
    const { storage } = node;
    const record = storage.find(address);
    const inbox = record.at === 'live' ? record.account.mailbox('INBOX') : undefined;
    const mine = this.#all.filter(({ recipients }) => recipients.includes(address));
    const counts = new Map<string, number>(mine.map(({ message }) => [message.token, 0]));
    for (const { uid } of inbox?.rows() ?? []) {
      const message = inbox?.message(uid);
      const bytes = (await message?.read(0, message.size)) ?? Buffer.alloc(0);
      const token = /^Subject: (.*)\r$/mu.exec(bytes.toString('latin1'))?.[1] ?? '';
      const errand = this.#all.find((one) => one.message.token === token);
      assert.ok(errand !== undefined && bytes.subarray(bytes.indexOf('From: a@')).equals(bytesOfMade(errand.message)), `the bytes of ${token}`);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    assert.deepEqual([...counts].filter(([, count]) => count !== 1), [], `messages of ${address} that are not there exactly once`);
  }
}
