/**
 * A node's queue under torture: in each round a node takes mail and is killed at a step of its queue or of its storage, or
 * meets a fault of its disk; clients that were not told 250 come again. In the end everything is delivered exactly once.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../shared/log/log.ts';
import { testProcess } from '../harness/program-file.ts';
import { largeBytes, readLedger } from './actions.ts';
import { audit, auditQueue } from './audit.ts';
import type { Dice } from './dice.ts';
import { assertOnlyTormented, startProcess } from './process.ts';
import { addresses, QueueLedger } from './queue-ledger.ts';
import { mailDirectory, openQueueNode, queueDirectory } from './queue-node.ts';
import type { Errand, QueueLine, QueueTask } from './queue-worker.ts';
import { injectionOf } from './steps.ts';
import type { Step } from './steps.ts';

const script = testProcess('torture/queue-worker');
const clients = 4;

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
  readonly #ledger = new QueueLedger();
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
    assertOnlyTormented(outcome);
    this.#ledger.add(readLedger<QueueLine>(ledger));
    const did = outcome.end === 'died' || outcome.struckAt?.includes('INJECTED') === true;
    return did ? outcome.struckAt : undefined;
  }

  /** Lets clients come again until all were told 250 and the queue is empty; then counts what is in the mailboxes. */
  async verify(): Promise<number> {
    for (let tries = 0; this.#untold().length > 0; tries += 1) {
      assert.ok(tries < 3, 'a node that nobody torments takes all mail');
      await this.#roundOfRepeats();
    }
    const node = await openQueueNode(this.#directory, createLog({ node: 'be1', level: 'silent' }));
    try {
      await this.#ledger.compare(node);
    } finally {
      await node.close();
    }
    await audit(mailDirectory(this.#directory));
    await auditQueue(queueDirectory(this.#directory));
    return this.#ledger.size;
  }

  async #roundOfRepeats(): Promise<void> {
    const struck = await this.round(undefined);
    assert.equal(struck, undefined);
  }

  /** Retries first, then some new messages, of which the first is large and waits in the queue. */
  #errands(): Errand[] {
    const again = this.#untold().map((errand) => ({ ...errand, way: this.#dice.pick(['accounts', 'queue'] as const) }));
    const fresh = Array.from({ length: 12 }, (_, index): Errand => ({
      message: { token: `${this.#dice.below(2 ** 30)}.${this.#round}.${index}`, bytes: index === 0 || this.#dice.oneIn(20) ? largeBytes : 200 + this.#dice.below(4000) },
      recipients: this.#dice.some(addresses), way: index === 0 ? 'queue' : this.#dice.pick(['accounts', 'queue', 'queue']),
    }));
    this.#all.push(...fresh);
    return [...again, ...fresh];
  }

  /** What clients have to bring again. */
  #untold(): Errand[] {
    return this.#all.flatMap((errand) => {
      const recipients = this.#ledger.untold(errand.message.token, errand.recipients);
      return recipients.length === 0 ? [] : [{ ...errand, recipients }];
    });
  }
}
