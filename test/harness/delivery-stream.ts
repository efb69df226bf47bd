/**
 * Clients that deliver without end, as careful mail servers do: what is not answered 250 is sent again, at the other front-end
 * too; and a mail program that appends by IMAP. They keep book of every 250 and OK.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { frontendNames } from './cluster.ts';
import type { Cluster, NodeName } from './cluster.ts';
import { ImapSession } from './imap-session.ts';
import { newMessage } from './messages.ts';
import { SmtpSession } from './smtp-session.ts';
import type { Letter } from './smtp-session.ts';

/** How long a client goes on with one message. */
const patienceMs = 40_000;
const usualPauseMs = 20;

export interface StreamOptions {
  readonly clients: number;
  /** Whether mail comes by IMAP too. */
  readonly append: 'yes' | 'no';
  /** From one message of a client to its next. */
  readonly pauseMs?: number;
}

export class DeliveryStream {
  /** Mailboxes of every message that was answered 250 or OK, by subject. */
  readonly acknowledged = new Map<string, readonly string[]>();
  /** Every subject that was ever sent. */
  readonly tried = new Set<string>();
  readonly refused: string[] = [];
  /** Tries that did not end with a 250. */
  failedTries = 0;
  readonly #cluster: Cluster;
  readonly #recipients: readonly (readonly string[])[];
  readonly #pauseMs: number;
  readonly #clients: Promise<void>[];
  #stopping = false;

  /** Starts `clients` of them; each takes the groups of recipients in turn. With `append: no` nothing comes by IMAP. */
  constructor(cluster: Cluster, recipients: readonly (readonly string[])[], { clients, append, pauseMs = usualPauseMs }: StreamOptions) {
    this.#cluster = cluster;
    this.#recipients = recipients;
    this.#pauseMs = pauseMs;
    this.#clients = Array.from({ length: clients }, async (_unused, index) => this.#client(index));
    for (const user of append === 'no' ? [] : new Set(recipients.flat())) this.#clients.push(this.#append(user));
  }

  /** Lets every client come to a 250 for the message it is at. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #client(index: number): Promise<void> {
    for (let turn = index; !this.#stopping; turn += 1) {
      const { subject, bytes } = newMessage();
      const users = this.#recipients[turn % this.#recipients.length] ?? [];
      this.tried.add(subject);
      await this.#sendUntilTaken({ subject, users, letter: { from: 'sender@example.net', to: users.map((user) => `${user}@example.com`), bytes } }, index);
      await sleep(this.#pauseMs);
    }
  }

  async #sendUntilTaken(message: { readonly subject: string; readonly users: readonly string[]; readonly letter: Letter }, first: number): Promise<void> {
    const deadline = Date.now() + patienceMs;
    for (let attempt = first; Date.now() < deadline; attempt += 1) {
      const reply = await this.#try(frontendNames[attempt % frontendNames.length] ?? 'fe1', message.letter).catch(() => 'connection lost');
      if (reply.startsWith('250')) {
        this.acknowledged.set(message.subject, message.users);
        return;
      }
      if (reply.startsWith('5')) this.refused.push(reply);
      this.failedTries += 1;
      await sleep(100);
    }
    this.refused.push(`${message.subject} not taken in time`);
  }

  /** Appends until told to stop. What was not answered OK may be there or not, and is not repeated. */
  async #append(user: string): Promise<void> {
    let imap: ImapSession | undefined;
    for (let turn = 0; !this.#stopping; turn += 1) {
      const { subject, bytes } = newMessage();
      this.tried.add(subject);
      try {
        imap ??= await ImapSession.logIn(this.#cluster, { node: frontendNames[turn % frontendNames.length] ?? 'fe1', user });
        await imap.append('INBOX', bytes);
        this.acknowledged.set(subject, [user]);
      } catch {
        this.failedTries += 1;
        imap?.close();
        imap = undefined;
      }
      await sleep(this.#pauseMs);
    }
    imap?.close();
  }

  async #try(node: NodeName, letter: Letter): Promise<string> {
    const session = await SmtpSession.connect(this.#cluster, node);
    try {
      const reply = await session.send(letter);
      await session.quit().catch(() => undefined); // a 250 counts, whatever happens afterwards
      return reply;
    } finally {
      session.close();
    }
  }
}

/** Waits until everything acknowledged is in the mailboxes, then looks that nothing is there twice. */
export async function checkLedger(cluster: Cluster, node: NodeName, { stream, users }: { readonly stream: DeliveryStream; readonly users: readonly string[] }): Promise<void> {
  const deadline = Date.now() + 90_000; // a queue tries again within a minute
  for (const user of users) {
    const expected = [...stream.acknowledged].filter(([, to]) => to.includes(user)).map(([subject]) => subject);
    let found = await subjectsOf(cluster, node, user);
    while (!expected.every((subject) => found.has(subject))) {
      const missing = expected.filter((subject) => !found.has(subject));
      assert.ok(Date.now() < deadline, `${String(missing.length)} of ${String(expected.length)} acknowledged messages are not with ${user}: ${missing.slice(0, 5).join(' ')}`);
      await sleep(300);
      found = await subjectsOf(cluster, node, user);
    }
  }
  await sleep(1000);
  for (const user of users) {
    const twice = [...(await subjectsOf(cluster, node, user))].filter(([subject, count]) => count > 1 && stream.tried.has(subject));
    assert.deepEqual(twice, [], `messages that ${user} has more than once`);
  }
}

/** How often each subject is in the INBOX. */
async function subjectsOf(cluster: Cluster, node: NodeName, user: string): Promise<Map<string, number>> {
  const imap = await ImapSession.logIn(cluster, { node, user });
  await imap.ok('SELECT INBOX');
  const { untagged } = await imap.ok('UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])');
  imap.close();
  const counts = new Map<string, number>();
  for (const { literals } of untagged) {
    const subject = /^Subject: (\S+)/.exec(literals[0]?.toString() ?? '')?.[1];
    if (subject !== undefined) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return counts;
}
