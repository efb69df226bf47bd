/** A move is cut at every single call to either storage, in five ways, and run again: one owner, all mail once, the same UIDs. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { bringAccount } from '../../../backend/account-move/move.ts';
import type { MoveSource } from '../../../backend/account-move/source.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { storageOptions, wronglyKept } from '../storage/harness.ts';

/** Longer than any step takes on a busy machine. */
const holdMs = 10_000;
/** Short, as the hold of a move that crashed has to be waited for; one that is over too early is another cut. */
const holdOfCutMs = 1000;
let folder: string;
let be1: Storage;
let be2: Storage;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-move-'));
  be1 = await openStorage(storageOptions(join(folder, 'be1'), { nodeName: 'be1' }));
  be2 = await openStorage(storageOptions(join(folder, 'be2'), { nodeName: 'be2' }));
});
after(async () => {
  await be1.close();
  await be2.close();
  rmSync(folder, { recursive: true, force: true });
});

class Crash extends Error {}

/** `crash`: this process dies before, or right after, the call takes effect. `lost reply`: it takes effect, but the caller sees a dead line. `late`: it takes effect after the caller gave up, or (`late, crash`) died. */
type Cut = { readonly at: number; readonly how: 'crash before' | 'crash after' | 'lost reply' | 'late' | 'late, crash' };

/** Counts the calls to both storages, and cuts at one of them. */
class Saboteur {
  calls: string[] = [];
  readonly late: (() => Promise<unknown>)[] = [];
  beforeCall: (name: string) => Promise<void> = async () => Promise.resolve();
  #dead = false;
  readonly #cut: Cut | undefined;

  constructor(cut: Cut | undefined) {
    this.#cut = cut;
  }

  wrap<T extends object>(name: string, object: T, unreliable: 'yes' | 'no'): T {
    return new Proxy(object, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function' || key === 'then') return value;
        const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        return ['messages', 'marks', 'messageIds', 'discard', 'fingerprint'].includes(String(key)) && unreliable === 'no' ? call : this.#sabotaged(`${name}.${String(key)}`, call, unreliable);
      },
    });
  }

  #sabotaged(name: string, call: (...args: unknown[]) => unknown, unreliable: 'yes' | 'no'): (...args: unknown[]) => unknown {
    if (name.endsWith('.messages')) return call;
    return async (...args) => {
      if (this.#dead) throw new Crash();
      this.calls.push(name);
      const cut = this.#cut?.at === this.calls.length ? this.#cut.how : undefined;
      if (cut === 'crash before') this.#die();
      if ((cut === 'late' || cut === 'late, crash') && unreliable === 'yes') {
        this.late.push(async () => call(...args));
        if (cut === 'late, crash') this.#die();
        throw new Failure('backend-unavailable', 'no answer');
      }
      await this.beforeCall(name);
      const result = await call(...args);
      if (cut === 'crash after') this.#die();
      if (cut === 'lost reply' && unreliable === 'yes') throw new Failure('backend-unavailable', 'no answer');
      return result;
    };
  }

  #die(): never {
    this.#dead = true;
    throw new Crash();
  }
}

async function put(account: Account, text: string): Promise<number> {
  const staged = await account.stage((async function* () { yield Buffer.from(`Subject: ${text}\r\nMessage-ID: <${text}@x>\r\n\r\n${text}\r\n`); })(), 10_000);
  const { uids } = await account.mailbox('INBOX')?.append([{ staged, marks: { flags: 1, keywords: ['$Work'] } }]) ?? { uids: [] };
  await staged.discard();
  return uids[0] ?? 0;
}

async function makeAccount(address: string): Promise<Account> {
  const account = await be1.createAccount(address);
  for (let n = 1; n <= 4; n += 1) await put(account, `inbox${String(n)}`);
  await account.createMailbox('Projects/2026');
  const inbox = account.mailbox('INBOX');
  const projects = account.mailbox('Projects/2026');
  assert.ok(inbox !== undefined && projects !== undefined);
  await inbox.copyTo([1, 2], projects);
  await inbox.expunge([3]);
  await inbox.changeFlags([4], { mode: 'add', flags: 4, keywords: ['$Other'] });
  await account.deleteMailbox('Junk');
  await account.renameMailbox('Sent', 'Sent Mail');
  return account;
}

/** Everything that a client sees. */
async function stateOf(account: Account): Promise<object> {
  const mailboxes = await Promise.all(account.mailboxes().map(async ({ id, ...state }) => {
    const mailbox = account.mailboxById(id);
    const rows = mailbox?.rows() ?? [];
    const texts = await Promise.all(rows.map(async ({ uid }) => (await mailbox?.message(uid)?.read(0, 10_000))?.toString()));
    return { ...state, rows, texts, changes: mailbox?.changesSince(1) };
  }));
  return { id: account.id, mailboxes, subscriptions: account.subscriptions(), quota: account.quota() };
}

function owners(address: string): string[] {
  return [['be1', be1] as const, ['be2', be2] as const].filter(([, storage]) => storage.find(address).at === 'live').map(([node]) => node);
}

function liveAt(storage: Storage, address: string): Account {
  const record = storage.find(address);
  assert.ok(record.at === 'live', `${address} is ${record.at}`);
  return record.account;
}

async function move(address: string, saboteur: Saboteur, held = holdMs): Promise<void> {
  const source: MoveSource = saboteur.wrap('source', localSource('be1', be1), 'yes');
  const transfers = { leaving: be2.transfers.leaving, arriving: saboteur.wrap('arriving', be2.transfers.arriving, 'no') };
  const storage = new Proxy(be2, { get: (target, key) => {
    if (key === 'transfers') return transfers;
    const value: unknown = Reflect.get(target, key);
    return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value;
  } });
  await bringAccount({ address, source, node: 'be2', storage, holdMs: held, tell: () => undefined });
}

test('an account moves with everything that a client can see unchanged', async () => {
  const before = await stateOf(await makeAccount('whole@example.com'));
  const saboteur = new Saboteur(undefined);
  await move('whole@example.com', saboteur);
  assert.deepEqual(owners('whole@example.com'), ['be2']);
  assert.deepEqual(await stateOf(liveAt(be2, 'whole@example.com')), before);
  assert.deepEqual(await wronglyKept(liveAt(be2, 'whole@example.com')), []);
  assert.deepEqual(saboteur.calls.filter((name) => /seal|activate/.test(name)), ['source.seal', 'arriving.activate']);
});

test('an owner of old refuses writes after the move, and a new one gets the next UID', async () => {
  const old = await makeAccount('old@example.com');
  const uidNext = old.mailbox('INBOX')?.state().uidNext;
  await move('old@example.com', new Saboteur(undefined));
  await assert.rejects(old.createMailbox('More'), (error) => error instanceof Failure && error.kind === 'not-kept-here' && error.node === 'be2');
  assert.equal(await put(liveAt(be2, 'old@example.com'), 'next'), uidNext);
});

test('what is acknowledged while the move goes on is there afterwards, and nothing is acknowledged between the last delta and the seal', async () => {
  const address = 'busy@example.com';
  const account = await makeAccount(address);
  const acknowledged: number[] = [];
  const refused: string[] = [];
  const saboteur = new Saboteur(undefined);
  saboteur.beforeCall = async (name) => {
    try {
      acknowledged.push(await put(account, `at ${name} ${String(acknowledged.length)}`));
    } catch (error) {
      assert.ok(error instanceof Failure && ['in-use', 'not-kept-here'].includes(error.kind), String(error));
      refused.push(name);
    }
  };
  await move(address, saboteur);
  assert.deepEqual(liveAt(be2, address).mailbox('INBOX')?.rows().map(({ uid }) => uid), [1, 2, 4, ...acknowledged]);
  assert.ok(acknowledged.length > 5 && refused.includes('source.seal') && refused.includes('source.fingerprint'), refused.join(' '));
});

test('a seal whose hold is over, or that has another token, is refused and changes nothing', async () => {
  const account = await makeAccount('late@example.com');
  const { leaving } = be1.transfers;
  const sealWith = async (token: string): Promise<void> => leaving.seal('late@example.com', { token, node: 'be2', epoch: 2 });
  const isOver = (error: unknown): boolean => error instanceof Failure && error.kind === 'timed-out';
  await assert.rejects(sealWith('one'), isOver);
  await leaving.hold('late@example.com', { token: 'one', forMs: 10_000 });
  await assert.rejects(leaving.hold('late@example.com', { token: 'be3/1', forMs: 100 }), (error) => error instanceof Failure && error.kind === 'in-use');
  await assert.rejects(sealWith('two'), isOver);
  await leaving.hold('late@example.com', { token: 'one', forMs: 20 });
  await sleep(40);
  await assert.rejects(sealWith('one'), isOver);
  await leaving.hold('late@example.com', { token: 'three', forMs: 10_000 });
  await leaving.release('late@example.com', 'three');
  await assert.rejects(sealWith('three'), isOver);
  assert.equal(account.standing(), 'live');
  await put(account, 'still here');
});

for (const how of ['crash before', 'crash after', 'lost reply', 'late', 'late, crash'] as const) {
  test(`a move cut at each of its calls (${how}), mail coming in between, is finished by the next run`, { timeout: 120_000 }, async (t) => {
    await makeAccount(`count-${how.replace(/\W+/, '-')}@example.com`);
    const dry = new Saboteur(undefined);
    await move(`count-${how.replace(/\W+/, '-')}@example.com`, dry);
    const rounds = await Promise.all(dry.calls.map(async (_name, index) => oneRound({ at: index + 1, how })));
    t.diagnostic(`${String(rounds.length)} cuts; ${String(rounds.filter((round) => round === 'nobody').length)} left nobody as owner until the next run`);
  });
}

async function oneRound(cut: Cut): Promise<'somebody' | 'nobody'> {
  const address = `${cut.how.replace(/\W+/, '-')}-${String(cut.at)}@example.com`;
  await makeAccount(address);
  const saboteur = new Saboteur(cut);
  const where = (): string => `${cut.how} ${saboteur.calls[cut.at - 1] ?? ''} (call ${String(cut.at)})`;
  await move(address, saboteur, holdOfCutMs).catch((error: unknown) => {
    assert.ok(error instanceof Crash || error instanceof Failure, `${where()}: ${String(error)}`);
  });
  assert.ok(owners(address).length <= 1, `${where()}: owned by ${owners(address).join(' and ')}`);
  const afterCut = owners(address).length === 1 ? 'somebody' : 'nobody';
  await sleep(holdOfCutMs + 50);
  // Mail comes in between, wherever the account is.
  const owner = owners(address)[0] === 'be1' ? be1 : be2;
  const between = owners(address).length === 1 ? await put(liveAt(owner, address), 'between') : undefined;
  for (const late of saboteur.late) await late().catch((error: unknown) => assert.ok(error instanceof Failure, `${where()}: ${String(error)}`));
  assert.ok(owners(address).length <= 1, `${where()}: owned by ${owners(address).join(' and ')} after a late call`);
  if (owners(address)[0] !== 'be2') await move(address, new Saboteur(undefined));
  assert.deepEqual(owners(address), ['be2'], where());
  const inbox = liveAt(be2, address).mailbox('INBOX');
  assert.deepEqual(inbox?.rows().map(({ uid }) => uid), [1, 2, 4, ...(between === undefined ? [] : [between])], where());
  assert.equal(liveAt(be2, address).mailbox('Projects/2026')?.state().messages, 2, where());
  return afterCut;
}
