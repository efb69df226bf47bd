/** Which accounts count as vanished from a directory: real storages; what the directory shows is given. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { Reconciliation } from '../../../backend/accounts/reconciliation.ts';
import type { ReconciliationOptions } from '../../../backend/accounts/reconciliation.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import { Failure } from '../../../shared/base/failure.ts';
import type { UserEntry } from '../../../shared/user-map/user-maps.ts';
import { keepingLog } from '../../harness/people.ts';
import { temporaryStorage } from '../storage/harness.ts';

interface Scene {
  readonly storage: Storage;
  /** Addresses that the directory has; `away`: it can't be asked. */
  shown: Set<string> | 'away';
  readonly lines: readonly Record<string, unknown>[];
  compare(): Promise<void>;
  held(): string[];
}

async function scene(t: TestContext, accounts: number, rules: Partial<ReconciliationOptions> = {}): Promise<Scene> {
  const storage = await temporaryStorage(t, { nodeName: 'be1' });
  const addresses = Array.from({ length: accounts }, (_, index) => `u${String(index)}@example.com`);
  for (const address of addresses) await storage.createAccount(address);
  const { log, lines } = keepingLog();
  const entryOf = (address: string): UserEntry => ({ address, dn: `mail=${address}`, map: 'users', aliases: [], mailHost: 'be1', routingAddress: undefined });
  const shown = (): Set<string> => {
    if (made.shown === 'away') throw new Failure('directory-unavailable', 'away');
    return made.shown;
  };
  const reconciliation = new Reconciliation({
    storage, log, everyMs: 1000, confirmations: 2, maxMissingPercent: 20, keepDeletedMs: 1e9, keepVanishedMs: 1e9,
    maps: { covers: (address) => !address.endsWith('@local.example'), lookUp: async (address) => Promise.resolve(shown().has(address) ? entryOf(address) : undefined) },
    listed: async () => Promise.resolve(shown()),
    ...rules,
  });
  const made: Scene = {
    storage, lines, shown: new Set(addresses),
    compare: async () => reconciliation.compare(),
    held: () => storage.lives.list().filter(({ withdrawn }) => withdrawn !== undefined).map(({ address }) => address),
  };
  return made;
}

function without(scene: Scene, ...addresses: readonly string[]): void {
  scene.shown = new Set([...(scene.shown === 'away' ? [] : scene.shown)].filter((address) => !addresses.includes(address)));
}

test('an entry has to be missing several times in a row; a lagging replica that shows it in between begins anew', async (t) => {
  const s = await scene(t, 10);
  without(s, 'u1@example.com');
  await s.compare();
  assert.deepEqual(s.held(), []);
  if (s.shown !== 'away') s.shown.add('u1@example.com');
  await s.compare();
  without(s, 'u1@example.com');
  await s.compare();
  assert.deepEqual(s.held(), []);
  await s.compare();
  assert.deepEqual(s.held(), ['u1@example.com']);
  if (s.shown !== 'away') s.shown.add('u1@example.com');
  await s.compare();
  assert.deepEqual(s.held(), []);
});

test('more than the share, an empty directory and one that is away: nothing happens to anybody, slowly or at once', async (t) => {
  const s = await scene(t, 10, { confirmations: 1 });
  without(s, 'u1@example.com', 'u2@example.com', 'u3@example.com');
  await s.compare();
  assert.deepEqual(s.held(), []);
  assert.ok(s.lines.some(({ alert }) => alert === 'mass-disappearance'));
  s.shown = new Set();
  await s.compare();
  s.shown = 'away';
  await assert.rejects(s.compare(), { kind: 'directory-unavailable' });
  assert.deepEqual(s.held(), []);
  // Two are within the share; a third on the same day is not.
  s.shown = new Set(Array.from({ length: 8 }, (_, index) => `u${String(index + 2)}@example.com`));
  await s.compare();
  assert.deepEqual(s.held(), ['u0@example.com', 'u1@example.com']);
  without(s, 'u2@example.com');
  await s.compare();
  assert.deepEqual(s.held(), ['u0@example.com', 'u1@example.com']);
});

test('one account may always go, local ones never do; what was held or deleted long enough is removed, but not while the alarm stands', async (t) => {
  const s = await scene(t, 2, { confirmations: 1, keepVanishedMs: 0 });
  // One of a domain without map, and one that a pattern of a file leads to, whose password is kept here.
  await s.storage.createAccount('ann@local.example');
  await (await s.storage.createAccount('ben@example.com')).setPasswordHash('{CLEARTEXT}x');
  without(s, 'u1@example.com');
  await s.compare();
  assert.deepEqual(s.held(), ['u1@example.com']);
  s.shown = new Set();
  await s.compare();
  assert.deepEqual(s.held(), ['u1@example.com']);
  s.shown = new Set(['u0@example.com']);
  await s.compare();
  assert.deepEqual(s.storage.lives.list().map(({ address }) => address), ['ann@local.example', 'ben@example.com', 'u0@example.com']);
});
