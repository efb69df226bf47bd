/** An IMAP client for tests that understands tags and literals and nothing else: what the server said is seen as it was. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, NodeName } from './cluster.ts';
import { Dialogue } from './dialogue.ts';

/** One response line; its literals stand apart, and `text` has their announcements. */
export interface ImapResponse {
  readonly text: string;
  readonly literals: readonly Buffer[];
}

export interface ImapAnswer {
  readonly untagged: readonly ImapResponse[];
  /** Without the tag: `OK …`, `NO …`, `BAD …`. */
  readonly completion: string;
}

export class ImapSession {
  readonly dialogue: Dialogue;
  #tags = 0;

  private constructor(dialogue: Dialogue) {
    this.dialogue = dialogue;
  }

  /** Connects and takes the greeting; on `imap` continues over TLS by STARTTLS. `from`: the client's own address. */
  static async connect(cluster: Cluster, node: NodeName, options: { readonly service?: 'imap' | 'imaps' | undefined; readonly from?: string; readonly patienceMs?: number } = {}): Promise<ImapSession> {
    const { service = 'imaps', ...from } = options;
    const dialogue = await Dialogue.connect({ port: cluster.port(node, service), tls: service === 'imaps' ? 'implicit' : 'none', ...from });
    const session = new ImapSession(dialogue);
    await dialogue.expect(/^\* OK /);
    if (service === 'imap') {
      await session.ok('STARTTLS');
      await dialogue.startTls();
    }
    return session;
  }

  /** Connects and logs in with the demo's password. */
  static async logIn(cluster: Cluster, place: { readonly node: NodeName; readonly user: string; readonly service?: 'imap' | 'imaps'; readonly patienceMs?: number }): Promise<ImapSession> {
    const { service, patienceMs } = place;
    const session = await ImapSession.connect(cluster, place.node, { service, ...(patienceMs === undefined ? {} : { patienceMs }) });
    await session.ok(`LOGIN ${place.user} ${cluster.password}`);
    return session;
  }

  /** Says a command and takes everything up to its completion. */
  async run(command: string): Promise<ImapAnswer> {
    this.#tags += 1;
    const tag = `t${String(this.#tags)}`;
    this.dialogue.say(`${tag} ${command}`);
    return this.#answer(tag);
  }

  /** The same; the completion must be OK. */
  async ok(command: string): Promise<ImapAnswer> {
    const answer = await this.run(command);
    assert.match(answer.completion, /^OK/, `${command}: ${answer.completion}`);
    return answer;
  }

  /** APPEND with a synchronizing literal. Answers the new UID. */
  async append(mailbox: string, message: Buffer): Promise<number> {
    this.#tags += 1;
    const tag = `t${String(this.#tags)}`;
    this.dialogue.say(`${tag} APPEND ${mailbox} {${String(message.length)}}`);
    await this.dialogue.expect(/^\+ /);
    this.dialogue.sayRaw(message);
    this.dialogue.sayRaw('\r\n');
    const { completion } = await this.#answer(tag);
    const uid = /\[APPENDUID \d+ (\d+)\]/.exec(completion)?.[1];
    assert.ok(uid !== undefined, completion);
    return Number(uid);
  }

  /** The whole messages of the selected mailbox, by UID. */
  async messages(uids = '1:*'): Promise<Map<number, Buffer>> {
    const { untagged } = await this.ok(`UID FETCH ${uids} (UID BODY.PEEK[])`);
    const found = new Map<number, Buffer>();
    for (const { text, literals } of untagged) {
      const uid = /^\* \d+ FETCH .*\bUID (\d+)/.exec(text)?.[1];
      if (uid !== undefined && literals[0] !== undefined) found.set(Number(uid), literals[0]);
    }
    return found;
  }

  /** UIDs in a mailbox whose subject contains the word; the mailbox is selected by it. */
  async find(word: string, mailbox = 'INBOX'): Promise<number[]> {
    await this.ok(`SELECT ${mailbox}`);
    return this.search(`HEADER Subject "${word}"`);
  }

  /** Looks until so many messages of that subject are there; then once more after a moment, because there must not be more. */
  async findSoon(word: string, { count = 1, patienceMs = 30_000 }: { readonly count?: number; readonly patienceMs?: number } = {}): Promise<number[]> {
    const deadline = Date.now() + patienceMs;
    while ((await this.find(word)).length < count) {
      assert.ok(Date.now() < deadline, `no message about ${word} in time`);
      await sleep(50);
    }
    await sleep(100);
    const uids = await this.find(word);
    assert.equal(uids.length, count, `messages about ${word}`);
    return uids;
  }

  async search(keys: string): Promise<number[]> {
    const { untagged } = await this.ok(`UID SEARCH ${keys}`);
    const line = untagged.map(({ text }) => text).find((text) => text.startsWith('* SEARCH')) ?? '';
    return line.split(' ').slice(2).filter((word) => word !== '').map(Number);
  }

  close(): void {
    this.dialogue.close();
  }

  async #answer(tag: string): Promise<ImapAnswer> {
    const untagged: ImapResponse[] = [];
    for (;;) {
      const response = await this.#response();
      if (response.text.startsWith(`${tag} `)) return { untagged, completion: response.text.slice(tag.length + 1) };
      untagged.push(response);
    }
  }

  async #response(): Promise<ImapResponse> {
    const literals: Buffer[] = [];
    let text = await this.dialogue.line();
    for (;;) {
      const size = /\{(\d+)\}$/.exec(text)?.[1];
      if (size === undefined) return { text, literals };
      literals.push(await this.dialogue.bytes(Number(size)));
      text += await this.dialogue.line();
    }
  }
}
