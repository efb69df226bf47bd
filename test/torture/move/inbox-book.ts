/**
 * What must be in the INBOX of accounts that move: everything acknowledged by SMTP, once; nothing that a POP3 client has
 * deleted and was told so. A POP3 client of each account deletes now and then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { frontendNames } from '../../harness/cluster.ts';
import type { Cluster } from '../../harness/cluster.ts';
import type { DeliveryStream } from '../../harness/delivery-stream.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import { Pop3Session } from '../../harness/pop3-session.ts';
import type { Dice } from '../dice.ts';

/** Deletes old mail now and then, and keeps book of what `QUIT` was answered. */
export class PopProgram {
  readonly removed = new Set<string>();
  /** QUIT was not answered: gone or not. */
  readonly perhaps = new Set<string>();
  cut = 0;
  readonly #cluster: Cluster;
  readonly #user: string;
  readonly #dice: Dice;
  readonly #running: Promise<void>;
  #stopping = false;

  constructor(cluster: Cluster, user: string, dice: Dice) {
    this.#cluster = cluster;
    this.#user = user;
    this.#dice = dice;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#session().catch(() => { this.cut += 1; });
      await sleep(500);
    }
  }

  async #session(): Promise<void> {
    const pop3 = await Pop3Session.logIn(this.#cluster, { node: this.#dice.pick(frontendNames), user: this.#user });
    try {
      const count = Number((await pop3.ok('STAT')).split(' ')[1]);
      const chosen = new Set<string>();
      for (let number = 1; number <= Math.min(3, count - 5); number += 1) {
        const header = (await pop3.retrieve(number)).toString('latin1');
        const subject = /^Subject: (\S+)\r$/m.exec(header)?.[1];
        if (subject === undefined) continue;
        await pop3.ok(`DELE ${String(number)}`);
        chosen.add(subject);
      }
      await sleep(this.#dice.below(300));
      const reply = await pop3.run('QUIT').catch(() => 'cut');
      const book = reply.startsWith('+OK') ? this.removed : this.perhaps;
      if (!reply.startsWith('-ERR')) for (const subject of chosen) book.add(subject);
    } finally {
      pop3.close();
    }
  }
}

export interface InboxBook {
  readonly user: string;
  readonly stream: DeliveryStream;
  readonly pop: PopProgram;
}

/** Milliseconds from now until the last acknowledged message was there, if any was missing at first. @throws Error with what is lost or there twice */
export async function checkInbox(cluster: Cluster, { user, stream, pop }: InboxBook, patienceMs: number): Promise<number> {
  const beganMs = performance.now();
  const expected = [...stream.acknowledged].filter(([subject, to]) => to.includes(user) && !pop.removed.has(subject) && !pop.perhaps.has(subject)).map(([subject]) => subject);
  for (;;) {
    const counts = await subjects(cluster, user);
    const twice = [...counts].filter(([subject, count]) => count > 1 && stream.tried.has(subject)).map(([subject]) => subject);
    if (twice.length > 0) throw new Error(`${user} has twice: ${twice.join(' ')}`);
    const back = [...pop.removed].filter((subject) => counts.has(subject));
    if (back.length > 0) throw new Error(`${user} has again what POP3 had deleted: ${back.join(' ')}`);
    const missing = expected.filter((subject) => !counts.has(subject));
    const tookMs = performance.now() - beganMs;
    if (missing.length === 0) return tookMs < 1000 ? 0 : Math.round(tookMs);
    if (tookMs > patienceMs) throw new Error(`${user} has not got ${String(missing.length)} of ${String(expected.length)} acknowledged messages after ${String(patienceMs)} ms: ${missing.slice(0, 5).join(' ')}`);
    await sleep(200);
  }
}

async function subjects(cluster: Cluster, user: string): Promise<Map<string, number>> {
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
  try {
    await imap.ok('EXAMINE INBOX');
    const { untagged } = await imap.ok('UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])');
    const counts = new Map<string, number>();
    for (const { literals } of untagged) {
      const subject = /^Subject: (\S+)/.exec(literals[0]?.toString() ?? '')?.[1];
      if (subject !== undefined) counts.set(subject, (counts.get(subject) ?? 0) + 1);
    }
    return counts;
  } finally {
    imap.close();
  }
}
