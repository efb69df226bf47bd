/**
 * A worker process of the torture: `node mail-worker.ts '<WorkerTask as JSON>'`. Some lanes at once change mailboxes of
 * their own and the INBOX that all share; each writes down what it is about to do, and what it was answered.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import { createLog } from '../../shared/log/log.ts';
import { openStorage } from '../../backend/storage/storage.ts';
import type { Account, Mailbox, MessageBytes, StagedMessage, Storage } from '../../backend/storage/storage.ts';
import { bytesOfMade, largeBytes } from './actions.ts';
import type { Action, Answer, FlagAction, LedgerLine, MadeMessage } from './actions.ts';
import { Dice } from './dice.ts';
import { chooseFar, farBoxes } from './far-lane.ts';
import type { FarBox } from './far-lane.ts';
import { keptChanges, traceOf } from './flag-traces.ts';
import { owner, tortureOptions } from './mail-storage.ts';

export interface WorkerTask {
  readonly directory: string;
  readonly ledger: string;
  readonly seed: number;
  readonly worker: number;
  readonly lanes: number;
  /** For each lane; twice as many for the one whose messages lie far apart, which comes to be so by the first ones. */
  readonly actions: number;
}

const task = JSON.parse(process.argv[2] ?? '{}') as WorkerTask;
const ledger = openSync(task.ledger, 'a');

function note(line: LedgerLine): void {
  writeSync(ledger, `${JSON.stringify(line)}\n`);
}

/** Bytes that are here, of every second size, are looked into while their pack is written; those that come one by one, on their way. */
function sourceOf(message: MadeMessage): MessageBytes {
  const bytes = bytesOfMade(message);
  if (message.bytes === largeBytes || message.bytes % 2 === 1) return pieces(bytes);
  const middle = bytes.length >> 1;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) {
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(at, at + 64 * 1024);
  }
}

class Lane {
  readonly #name: string;
  readonly #dice: Dice;
  readonly #storage: Storage;
  readonly #account: Account;
  readonly #delivered: { readonly token: string; readonly uid: number }[] = [];
  /** `far`: see far-lane.ts; the first actions of such a lane make the distance. */
  readonly #kind: 'far' | 'near';
  #count = 0;
  #turns = 0;

  constructor(name: string, dice: Dice, open: { readonly storage: Storage; readonly account: Account; readonly kind: 'far' | 'near' }) {
    this.#name = name;
    this.#kind = open.kind;
    this.#dice = dice;
    this.#storage = open.storage;
    this.#account = open.account;
  }

  async run(actions: number): Promise<void> {
    for (let count = 0; count < actions; count += 1) await this.#turn(this.#choose());
  }

  async #turn(action: Action): Promise<void> {
    note({ at: 'begin', lane: this.#name, action });
    try {
      const answer = await this.#do(action);
      note({ at: 'done', lane: this.#name, answer });
    } catch (error) {
      if (!isFailure(error)) throw error;
      note({ at: 'refused', lane: this.#name, kind: error.kind });
      await sleep(2); // a disk that fails once and again is not asked thousands of times
    }
  }

  #choose(): Action {
    this.#turns += 1;
    if (this.#turns === 1) return { kind: 'tidy' };
    const dice = this.#dice;
    const own = this.#account.mailboxes().map(({ name }) => name).filter((name) => name.startsWith(`${this.#name}-`));
    if (this.#kind === 'far') return this.#chooseFar(own);
    if (own.length < 2) return { kind: 'create', box: this.#freshName(own) };
    const box = dice.pick(own);
    const rows = this.#mailbox(box).rows();
    const chance = dice.below(100);
    if (chance < 30 || rows.length === 0) return { kind: 'append', box, messages: this.#make(dice.oneIn(6) ? 3 : 1), flags: dice.below(32) };
    if (chance < 45) return { kind: 'deliver', message: this.#make(1)[0] ?? { token: '', bytes: 0 } };
    const uids = dice.some(rows.map(({ uid }) => uid)).slice(0, 8);
    if (chance < 58) return { kind: 'flag', box, uids, mode: dice.pick(['add', 'remove', 'replace']), flags: dice.below(32), keywords: [] };
    if (chance < 68) return { kind: 'expunge', box, uids };
    if (chance < 88) return { kind: chance < 78 ? 'move' : 'copy', box, uids, to: dice.pick(own.filter((name) => name !== box)) };
    return this.#chooseSeldom(box, own);
  }

  #chooseFar(own: readonly string[]): Action {
    const boxes = farBoxes(this.#name);
    const missing = boxes.find((box) => !own.includes(box));
    if (missing !== undefined) return { kind: 'create', box: missing };
    const [far, aside] = boxes.map((name): FarBox => ({ name, rows: this.#mailbox(name).rows() }));
    if (far === undefined || aside === undefined) throw new Error('a lane without its mailboxes');
    return chooseFar(this.#dice, { far, aside, inbox: this.#mailbox('INBOX').uids(), make: (count) => this.#make(count) });
  }

  #chooseSeldom(box: string, own: readonly string[]): Action {
    const chance = this.#dice.below(10);
    const delivered = this.#delivered.shift();
    if (delivered !== undefined && chance < 6) return { kind: 'discard', ...delivered };
    if (chance < 8) return { kind: 'rename', box, to: this.#freshName(own) };
    if (chance < 9) return { kind: 'tidy' };
    return { kind: 'delete', box };
  }

  /** One of few names, so that names come back. */
  #freshName(taken: readonly string[]): string {
    const names = ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => `${this.#name}-${name}`);
    return this.#dice.pick(names.filter((name) => !taken.includes(name)));
  }

  /** The first one is large, so that each process settles some of these. */
  #make(count: number): MadeMessage[] {
    return Array.from({ length: count }, () => {
      this.#count += 1;
      return { token: `${task.seed}.${this.#name}.${this.#count}`, bytes: this.#count === 1 || this.#dice.oneIn(25) ? largeBytes : 200 + this.#dice.below(6000) };
    });
  }

  async #do(action: Action): Promise<Answer> {
    switch (action.kind) {
      case 'append': return this.#append(this.#mailbox(action.box), action.messages, action.flags);
      case 'deliver': return this.#deliver(action.message);
      case 'discard': return this.#seen(this.#mailbox('INBOX'), (await this.#mailbox('INBOX').expunge([action.uid])).uids);
      case 'flag': return this.#flag(this.#mailbox(action.box), action);
      case 'mark': return this.#seen(this.#mailbox('INBOX'), (await this.#mailbox('INBOX').changeFlags(action.uids, { mode: action.mode, flags: 0, keywords: [this.#name] })).changed.map(({ uid }) => uid));
      case 'expunge': return this.#seen(this.#mailbox(action.box), (await this.#mailbox(action.box).expunge(action.uids)).uids);
      case 'copy': return this.#seen(this.#mailbox(action.to), (await this.#mailbox(action.box).copyTo(action.uids, this.#mailbox(action.to))).uids);
      case 'move': return this.#seen(this.#mailbox(action.to), (await this.#mailbox(action.box).moveTo(action.uids, this.#mailbox(action.to))).uids);
      case 'create': return this.#seen(await this.#account.createMailbox(action.box), []);
      case 'rename': await this.#account.renameMailbox(action.box, action.to); return this.#seen(this.#mailbox(action.to), []);
      case 'delete': await this.#account.deleteMailbox(action.box); return { uids: [] };
      case 'tidy': await this.#tidy(); return { uids: [] };
    }
  }

  async #flag(mailbox: Mailbox, action: FlagAction): Promise<Answer> {
    const before = keptChanges(this.#storage, mailbox);
    const { changed } = await mailbox.changeFlags(action.uids, action);
    return { ...this.#seen(mailbox, changed.map(({ uid }) => uid)), flagTrace: traceOf(before, keptChanges(this.#storage, mailbox)) };
  }

  async #append(mailbox: Mailbox, messages: readonly MadeMessage[], flags: number): Promise<Answer> {
    const staged: StagedMessage[] = [];
    try {
      for (const message of messages) staged.push(await this.#account.stage(sourceOf(message), 2 ** 24));
      const { uids } = await mailbox.append(staged.map((one) => ({ staged: one, marks: { flags, keywords: [] } })));
      return this.#seen(mailbox, uids);
    } finally {
      await Promise.all(staged.map((one) => one.discard()));
    }
  }

  async #deliver(message: MadeMessage): Promise<Answer> {
    const answer = await this.#append(this.#mailbox('INBOX'), [message], 0);
    this.#delivered.push({ token: message.token, uid: answer.uids[0] ?? 0 });
    return answer;
  }

  /** Leaves a pack in which nothing lives for a later process to find; and tidies away what others have left. */
  async #tidy(): Promise<void> {
    const staged = await this.#account.stage(pieces(bytesOfMade({ token: 'never appended', bytes: largeBytes })), 2 ** 24);
    await staged.discard();
    await this.#storage.removeDeadPacks(0);
  }

  #seen(mailbox: Mailbox, uids: readonly number[]): Answer {
    const { uidValidity, highestModseq } = mailbox.state();
    return { uids, uidValidity, highestModseq };
  }

  #mailbox(name: string): Mailbox {
    const mailbox = this.#account.mailbox(name);
    if (mailbox === undefined) throw new Error(`there is no mailbox ${name}`);
    return mailbox;
  }
}

async function work(storage: Storage): Promise<void> {
  const account = await storage.createAccount(owner);
  await Promise.all(Array.from({ length: task.lanes }, (_, index) => {
    const name = `w${task.worker}l${index}`;
    return new Lane(name, new Dice(task.seed * 31 + task.worker * 7 + index), { storage, account, kind: index === 0 ? 'far' : 'near' }).run(index === 0 ? 2 * task.actions : task.actions);
  }));
}

note({ at: 'start', pid: process.pid });
try {
  const storage = await openStorage(tortureOptions(task.directory, createLog({ node: 'be1', level: 'silent' })));
  try {
    await work(storage);
  } finally {
    await storage.close();
  }
} catch (error) {
  if (!isFailure(error)) throw error; // a process whose disk fails at its start or end goes without a word
}
note({ at: 'end' });
