/**
 * A mail program that works on mailboxes of its own in an account that moves: it keeps book of every OK, reconnects when sent
 * away, and then looks whether everything is as it was acknowledged. The one command that was not answered may have happened or not, wholly.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { frontendNames } from '../../harness/cluster.ts';
import type { Cluster } from '../../harness/cluster.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import type { Dice } from '../dice.ts';
import { lookAt } from './look.ts';
import { differences, emptyMailbox } from './mailbox-model.ts';
import type { Mailboxes } from './mailbox-model.ts';
import { pickChange } from './mailbox-changes.ts';

/** How long nobody lets it in before that is a fault: a killed node has to start. */
const patienceMs = 60_000;

export class MailProgram {
  /** What was found wrong; it stops at the first. */
  complaint: string | undefined;
  /** Changes that were answered OK. */
  acknowledged = 0;
  /** Turns that ended with a cut line, BYE or NO. */
  disturbed = 0;
  readonly #cluster: Cluster;
  readonly #user: string;
  readonly #prefix: string;
  readonly #dice: Dice;
  readonly #running: Promise<void>;
  #mailboxes: Mailboxes;
  /** What it is too if the unanswered command has happened. */
  #perhaps: Mailboxes | undefined;
  #session: ImapSession | undefined;
  #stopping = false;
  #last = '';

  /** @param prefix of its mailboxes, which nobody else touches. */
  constructor(cluster: Cluster, place: { readonly user: string; readonly prefix: string }, dice: Dice) {
    this.#cluster = cluster;
    this.#user = place.user;
    this.#prefix = place.prefix;
    this.#dice = dice;
    this.#mailboxes = new Map();
    this.#perhaps = new Map();
    this.#running = this.#run();
  }

  /** Ends with a last look. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopping) {
        await this.#turn();
        await sleep(30 + this.#dice.below(120));
      }
      this.#session?.close();
      this.#session = undefined;
      await this.#open();
    } catch (error) {
      this.complaint ??= error instanceof Error ? error.message : String(error);
    }
    this.#session?.close();
  }

  async #turn(): Promise<void> {
    const session = this.#session ?? (await this.#open());
    const change = pickChange(this.#mailboxes, this.#prefix, this.#dice);
    this.#last = change.text;
    const completion = await change.run(session).catch(() => undefined);
    if (completion?.startsWith('BAD') === true) throw new Error(`${change.text}: ${completion}`);
    if (completion?.startsWith('OK') === true) {
      this.#mailboxes = change.apply(this.#mailboxes, completion);
      this.acknowledged += 1;
      return;
    }
    if (completion === undefined) this.#perhaps = change.apply(this.#mailboxes, undefined); // NO means that it has not happened
    this.#giveUp();
  }

  #giveUp(): void {
    this.disturbed += 1;
    this.#session?.close();
    this.#session = undefined;
  }

  /** Logs in, however often it takes, and compares. */
  async #open(): Promise<ImapSession> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      let session: ImapSession | undefined;
      try {
        session = await ImapSession.logIn(this.#cluster, { node: this.#dice.pick(frontendNames), user: this.#user });
        const found = await lookAt(session, this.#prefix);
        this.#settle(found);
        if (found.size < 2) await this.#furnish(session, found);
        this.#session = session;
        return session;
      } catch (error) {
        session?.close();
        if (error instanceof Mismatch || Date.now() > deadline) throw error;
        await sleep(50);
      }
    }
  }

  /** @throws Mismatch when it is neither as acknowledged nor as it would be with the unanswered change */
  #settle(found: Mailboxes): void {
    const without = differences(this.#mailboxes, found);
    const withIt = this.#perhaps === undefined ? without : differences(this.#perhaps, found);
    if (without.length > 0 && withIt.length > 0) {
      throw new Mismatch(`${this.#user}, ${this.#prefix}, after ${this.#last}: ${without.slice(0, 4).join('; ')}${this.#perhaps === undefined ? '' : `; and if it has happened: ${withIt.slice(0, 4).join('; ')}`}`);
    }
    this.#mailboxes = found;
    this.#perhaps = undefined;
  }

  /** Its two mailboxes; a CREATE that is not answered may be found at the next look. */
  async #furnish(session: ImapSession, found: Mailboxes): Promise<void> {
    for (const name of [`${this.#prefix}-a`, `${this.#prefix}-b`]) {
      if (found.has(name)) continue;
      this.#perhaps = new Map([...this.#mailboxes, [name, emptyMailbox]]);
      await session.ok(`CREATE ${name}`);
      this.#mailboxes = this.#perhaps;
      this.#perhaps = undefined;
    }
  }
}

class Mismatch extends Error {}
