/** Several sessions on one mailbox, in two worker processes: each client's sequence numbers always mean what it was told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import { workerOf } from './second-worker.ts';

const address = 'shared@example.com';

/** Numbers from a seed, so that a failing run can be played again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % sides;
  };
}

/** A client that keeps its own list of uids from what it is told, and complains when anything contradicts it. */
class CarefulClient {
  readonly #dialogue: Dialogue;
  readonly #roll: (sides: number) => number;
  #uids: (number | undefined)[] = [];
  #tag = 0;

  constructor(dialogue: Dialogue, seed: number) {
    this.#dialogue = dialogue;
    this.#roll = dice(seed);
  }

  /** @param notify what it wants to be told of unasked (RFC 5465) */
  static async connect(port: number, seed: number, notify?: string): Promise<CarefulClient> {
    const client = new CarefulClient(await Dialogue.connect({ port, tls: 'implicit' }), seed);
    await client.ask(`LOGIN ${address} "${password}"`);
    await client.ask('SELECT INBOX');
    if (notify !== undefined) await client.ask(`NOTIFY SET (${notify})`);
    return client;
  }

  get count(): number {
    return this.#uids.length;
  }

  async ask(command: string): Promise<void> {
    const tag = `t${String((this.#tag += 1))}`;
    this.#dialogue.say(`${tag} ${command}`);
    const mayExpunge = !/^(FETCH|STORE|SEARCH) /.test(command);
    for (;;) {
      const line = await this.#dialogue.line();
      if (line.startsWith(`${tag} `)) {
        assert.match(line, /^\S+ OK/, command);
        return;
      }
      if (line.startsWith('+')) this.#dialogue.sayRaw(Buffer.concat([messageAbout(`m${tag}`), Buffer.from('\r\n')]));
      else this.#take(line, mayExpunge);
    }
  }

  #take(line: string, mayExpunge: boolean): void {
    const [, number = '', what = '', rest = ''] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)$/.exec(line) ?? [];
    const value = Number(number);
    if (what === 'EXISTS') {
      assert.ok(value >= this.#uids.length, `${line} while ${String(this.#uids.length)} are known`);
      while (this.#uids.length < value) this.#uids.push(undefined);
    } else if (what === 'EXPUNGE') {
      assert.ok(mayExpunge, `${line} when it must not be told`);
      assert.ok(value >= 1 && value <= this.#uids.length, line);
      this.#uids.splice(value - 1, 1);
    } else if (what === 'FETCH') {
      const uid = Number(/\bUID (\d+)/.exec(rest)?.[1]);
      assert.equal(this.#uids[value - 1] ?? uid, uid, `${line} contradicts what was told before`);
      this.#uids[value - 1] = uid;
    }
  }

  /** One arbitrary command. */
  async act(): Promise<void> {
    const any = (): string => String(1 + this.#roll(Math.max(1, this.count)));
    const commands = [
      () => 'NOOP',
      () => `APPEND INBOX {${String(messageAbout(`mt${String(this.#tag + 1)}`).length)}}`,
      () => 'FETCH 1:* (UID FLAGS)',
      () => 'UID FETCH 1:* (FLAGS)',
      () => (this.count === 0 ? 'NOOP' : `STORE ${any()} +FLAGS (\\Deleted)`),
      () => (this.count === 0 ? 'NOOP' : `FETCH ${any()} (UID RFC822.SIZE)`),
      () => 'SEARCH NOT DELETED',
      () => 'UID SEARCH ALL',
      () => (this.count < 3 ? 'NOOP' : `MOVE ${any()} Trash`),
      () => (this.count === 0 ? 'NOOP' : `UID STORE 1:* ${this.#roll(2) === 0 ? '+' : '-'}FLAGS (\\Flagged)`),
      () => 'EXPUNGE',
    ];
    await this.ask((commands[this.#roll(commands.length)] ?? (() => 'NOOP'))());
  }

  /** All uids, after everything was told. */
  async settled(): Promise<readonly (number | undefined)[]> {
    await this.ask('NOOP');
    await this.ask('FETCH 1:* (UID)');
    return this.#uids;
  }

  close(): void {
    this.#dialogue.close();
  }
}

test('Four sessions in two processes hammer one mailbox and never disagree about a sequence number.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  for (let count = 0; count < 20; count += 1) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout(`first ${String(count)}`));
  const otherPort = await workerOf(t, server.directory);
  // Two of them are told what happens between their commands, too, but for removals.
  const delayed = 'selected-delayed (MessageNew (UID) MessageExpunge FlagChange)';
  const wishes = [undefined, delayed, undefined, delayed];
  const ports = [server.ports.tls, server.ports.tls, otherPort, otherPort];
  const clients = await Promise.all(ports.map(async (port, index) => CarefulClient.connect(port, 4711 + index, wishes[index])));
  await Promise.all(
    clients.map(async (client) => {
      for (let turn = 0; turn < 150; turn += 1) await client.act();
    }),
  );
  const lists = [];
  for (const client of clients) lists.push(await client.settled());
  for (const list of lists) assert.deepEqual(list, lists[0]);
  for (const client of clients) client.close();
});
