/** Keywords of mailboxes that have more names than bits, against a plain model: no message bears one that it was not given, and none is lost but those that found no room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { keywordNames } from '../../../backend/storage/entries.ts';
import type { Account, Mailbox } from '../../../backend/storage/storage.ts';
import { Dice } from '../../torture/dice.ts';
import { deliver, mailboxOf, sampleMessage, temporaryStorage } from './harness.ts';

const most = 32;

/** What one mailbox should have. */
class Model {
  known: string[] = [];
  readonly messages = new Map<number, readonly string[]>();

  /** Which of the names a message is given; undefined: it would not be given all. */
  give(names: readonly string[], beyond: 'refused' | 'left-out'): readonly string[] | undefined {
    const unknown = names.filter((name) => !this.known.includes(name));
    const known = this.messages.size === 0 && this.known.length + unknown.length > most ? [] : [...this.known];
    const given = names.filter((name) => {
      if (!known.includes(name) && known.length < most) known.push(name);
      return known.includes(name);
    });
    if (given.length < names.length && beyond === 'refused') return undefined;
    this.known = known;
    return given;
  }
}

function shown(mailbox: Mailbox): Map<number, readonly string[]> {
  const { keywords } = mailbox.state();
  return new Map(mailbox.rows().map((row) => [row.uid, keywordNames(keywords, row.keywords).toSorted()]));
}

function expected({ messages }: Model): Map<number, readonly string[]> {
  return new Map([...messages].map(([uid, names]) => [uid, names.toSorted()]));
}

class Walk {
  readonly #dice: Dice;
  readonly #mailboxes: readonly { readonly mailbox: Mailbox; readonly model: Model }[];
  refused = 0;
  leftOut = 0;
  anew = 0;

  constructor(account: Account, seed: number) {
    this.#dice = new Dice(seed);
    this.#mailboxes = ['INBOX', 'Trash'].map((name) => ({ mailbox: mailboxOf(account, name), model: new Model() }));
  }

  #names(): string[] {
    return [...new Set(Array.from({ length: this.#dice.below(6) }, () => `k${String(this.#dice.below(50))}`))];
  }

  async step(put: (mailbox: Mailbox, keywords: readonly string[]) => Promise<number>): Promise<void> {
    const [from, to] = this.#dice.below(2) === 0 ? this.#mailboxes : this.#mailboxes.toReversed();
    assert.ok(from !== undefined && to !== undefined);
    const before = from.model.known;
    const uids = [...from.model.messages.keys()].filter(() => this.#dice.below(2) === 0);
    const what = this.#dice.below(8);
    if (what < 2) await this.#append(from, put);
    else if (what < 4) await this.#store(from, uids);
    else if (what < 7) await this.#transfer(from, to, { uids: what === 4 ? uids : [...from.model.messages.keys()], isMove: what > 4 });
    else await this.#expunge(from, uids);
    if (!before.every((name, index) => from.model.known[index] === name)) this.anew += 1;
    for (const { mailbox, model } of this.#mailboxes) {
      assert.deepEqual(shown(mailbox), expected(model));
      assert.deepEqual(mailbox.state().keywords, model.known);
    }
  }

  async #append({ mailbox, model }: { readonly mailbox: Mailbox; readonly model: Model }, put: (mailbox: Mailbox, keywords: readonly string[]) => Promise<number>): Promise<void> {
    const names = this.#names();
    const given = model.give(names, 'refused');
    if (given === undefined) return this.#demandRefused(put(mailbox, names));
    model.messages.set(await put(mailbox, names), given);
  }

  async #store({ mailbox, model }: { readonly mailbox: Mailbox; readonly model: Model }, uids: readonly number[]): Promise<void> {
    const names = this.#names();
    const given = uids.length === 0 ? [] : model.give(names, 'refused');
    const change = mailbox.changeFlags(uids, { mode: 'replace', flags: 0, keywords: names });
    if (given === undefined) return this.#demandRefused(change);
    await change;
    for (const uid of uids) model.messages.set(uid, given);
  }

  async #transfer(from: { readonly mailbox: Mailbox; readonly model: Model }, to: { readonly mailbox: Mailbox; readonly model: Model }, { uids, isMove }: { readonly uids: readonly number[]; readonly isMove: boolean }): Promise<void> {
    const result = isMove ? await from.mailbox.moveTo(uids, to.mailbox) : await from.mailbox.copyTo(uids, to.mailbox);
    for (const [index, uid] of uids.entries()) {
      const names = from.model.known.filter((name) => from.model.messages.get(uid)?.includes(name));
      const given = to.model.give(names, 'left-out') ?? [];
      if (given.length < names.length) this.leftOut += 1;
      to.model.messages.set(result.uids[index] ?? 0, given);
      if (isMove) from.model.messages.delete(uid);
    }
  }

  async #expunge({ mailbox, model }: { readonly mailbox: Mailbox; readonly model: Model }, uids: readonly number[]): Promise<void> {
    await mailbox.expunge(uids);
    for (const uid of uids) model.messages.delete(uid);
  }

  async #demandRefused(work: Promise<unknown>): Promise<void> {
    this.refused += 1;
    await assert.rejects(work, (error) => isFailure(error, 'limit'));
  }
}

test('Two mailboxes between which messages wander with fifty keywords show each message with those that it was given', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const seed = Number(process.env['WAYBILL_KEYWORDS_SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${String(seed)}`);
  const walk = new Walk(account, seed);
  for (let step = 0; step < 300; step += 1) await walk.step(async (mailbox, keywords) => (await deliver({ storage, account, mailbox }, sampleMessage('m'), { flags: 0, keywords })).uids[0] ?? 0);
  assert.ok(walk.refused > 0 && walk.leftOut > 0 && walk.anew > 0, JSON.stringify(walk));
});
