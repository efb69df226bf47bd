/** Local accounts at back-ends, beside users of a real directory: passwords kept in real storages, maps read from a real file. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { bringAccount } from '../../../backend/account-move/move.ts';
import { createAccounts } from '../../../backend/accounts/accounts.ts';
import type { Accounts } from '../../../backend/accounts/accounts.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import type { FailureKind } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import { createUserMaps, standardAttributeNames } from '../../../shared/user-map/user-maps.ts';
import { startEmbeddedDirectory } from '../../harness/embedded-directory.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { temporaryDirectory, temporaryStorage } from '../storage/harness.ts';

interface Node {
  readonly accounts: Accounts;
  readonly storage: Storage;
}

/** Of example.com the directory has the users; local.example has a file map (ann on be1 by her address, all others there by a pattern); bare.example has no map. */
async function startNode(t: TestContext, nodeName: string, silent: readonly string[] = []): Promise<Node> {
  const directory = await startEmbeddedDirectory({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1' }]) });
  t.after(async () => directory.stop());
  const { log } = keepingLog();
  const connector = createConnector({
    name: 'directory', uris: [directory.uri], bindDn: directory.adminDn, bindPassword: directory.adminPassword,
    searchBase: 'dc=example,dc=com', scope: 'sub', timeoutMs: 2000, connections: 2, log,
  });
  t.after(() => connector.close());
  const file = path.join(temporaryDirectory(t), 'local.map');
  fs.writeFileSync(file, 'ann@local.example be1\n/.*@local\\.example/ be1\n');
  const maps = createUserMaps({
    log,
    maps: [
      { kind: 'ldapBind', name: 'users', domains: ['example.com'], connector, searchPattern: '(mail=%e)', attributes: standardAttributeNames, onSeveral: 'refuse' },
      { kind: 'localFile', name: 'local', domains: ['local.example'], path: file },
    ],
  });
  const storage = await temporaryStorage(t, { nodeName });
  const accounts = createAccounts({
    storage, maps, log, nodeName, primaryDomain: 'example.com',
    nodeOf: (mailHost) => ['be1', 'be2'].find((name) => name === mailHost),
    holders: async () => Promise.resolve({ holders: [], silent }), known: { staleMs: 0, maxEntries: 10 },
  });
  return { accounts, storage };
}

async function refused(work: Promise<unknown>, kind: FailureKind, node?: string): Promise<void> {
  await assert.rejects(work, (error) => isFailure(error, kind) && (node === undefined || error.node === node));
}

test('a local account logs in by the password that its back-end keeps, and by no other', async (t) => {
  const { accounts, storage } = await startNode(t, 'be1');
  await accounts.local.add('Ben@Local.Example', 'first password');
  const stored = storage.find('ben@local.example');
  assert.match(stored.at === 'live' ? String(stored.account.passwordHash()) : '', /^\{ARGON2\}\$argon2id\$/);
  for (const name of ['ben@local.example', 'BEN@LOCAL.example', 'ben+news@local.example']) {
    assert.equal((await accounts.login({ name, password: 'first password', service: 'imap', asker: 'client' })).address, 'ben@local.example');
  }
  await accounts.local.setPassword('ben@local.example', 'second password');
  await refused(accounts.login({ name: 'ben@local.example', password: 'first password', service: 'imap', asker: 'client' }), 'bad-credentials');
  assert.equal((await accounts.login({ name: 'ben@local.example', password: 'second password', service: 'imap', asker: 'frontend' })).address, 'ben@local.example');
  for (const password of ['', 'x'.repeat(1025), 'a\0b']) await refused(accounts.local.setPassword('ben@local.example', password), 'bad-input');
});

test('users of the directory and local ones live side by side, each with the passwords of their domain', async (t) => {
  const { accounts, storage } = await startNode(t, 'be1');
  assert.equal((await accounts.login({ name: 'alice', password: peoplesPassword, service: 'imap', asker: 'client' })).address, 'alice@example.com');
  await refused(accounts.local.add('alice@example.com', 'mine'), 'forbidden');
  await refused(accounts.local.setPassword('alice@example.com', 'mine'), 'forbidden');
  // One whom the directory does not have any more has no password here either, whatever the storage says.
  const gone = await storage.createAccount('gone@example.com');
  await gone.setPasswordHash('{CLEARTEXT}left over');
  await refused(accounts.login({ name: 'gone@example.com', password: 'left over', service: 'imap', asker: 'frontend' }), 'bad-credentials');
});

test('a domain that no map is asked for has the accounts that were made, and no others', async (t) => {
  const { accounts } = await startNode(t, 'be1');
  await accounts.local.add('bob@bare.example', 'secret of bob');
  assert.equal((await accounts.login({ name: 'bob@bare.example', password: 'secret of bob', service: 'imap', asker: 'client' })).address, 'bob@bare.example');
  assert.deepEqual(await accounts.expand('bob+list@bare.example'), { kind: 'mailbox' });
  assert.equal((await accounts.open('bob+list@bare.example', 'smtp')).address, 'bob@bare.example');
  await refused(accounts.expand('eve@bare.example'), 'unknown-user');
  await refused(accounts.login({ name: 'eve@bare.example', password: 'secret of bob', service: 'imap', asker: 'frontend' }), 'bad-credentials');
});

test('a pattern makes no mailboxes: mail for an account that nobody made is refused', async (t) => {
  const { accounts, storage } = await startNode(t, 'be1');
  await refused(accounts.open('typo@local.example', 'smtp'), 'unknown-user');
  assert.equal((await accounts.open('ann@local.example', 'smtp')).address, 'ann@local.example');
  await refused(accounts.login({ name: 'ann@local.example', password: 'anything', service: 'imap', asker: 'frontend' }), 'bad-credentials');
  assert.deepEqual(storage.addresses(), ['ann@local.example']);
  await refused(accounts.local.add('ann@local.example', 'secret'), 'mailbox-exists');
  await accounts.local.setPassword('ann@local.example', 'secret of ann');
  await accounts.login({ name: 'ann@local.example', password: 'secret of ann', service: 'imap', asker: 'frontend' });
});

test('password, aliases and what it may be used for go along when the account moves; only front-ends are told where it went', async (t) => {
  const [be1, be2] = [await startNode(t, 'be1'), await startNode(t, 'be2')];
  await be1.accounts.local.add('ben@local.example', 'secret of ben');
  await refused(be2.accounts.local.add('new@local.example', 'secret'), 'not-kept-here', 'be1');
  await refused(be2.accounts.login({ name: 'ben@local.example', password: 'secret of ben', service: 'imap', asker: 'frontend' }), 'not-kept-here', 'be1');
  await refused(be2.accounts.login({ name: 'ben@local.example', password: 'secret of ben', service: 'imap', asker: 'client' }), 'bad-credentials');
  await be1.storage.lives.addAlias('ben@local.example', 'b@local.example');
  await be1.storage.lives.setTerms('ben@local.example', { status: 'active', services: ['imap', 'smtp'] });
  await bringAccount({ address: 'ben@local.example', source: localSource('be1', be1.storage), node: 'be2', storage: be2.storage, holdMs: 5000, tell: () => undefined });
  const credentials = { name: 'ben@local.example', password: 'secret of ben' } as const;
  assert.equal((await be2.accounts.login({ ...credentials, service: 'imap', asker: 'frontend' })).address, 'ben@local.example');
  assert.equal((await be2.accounts.login({ ...credentials, name: 'b@local.example', service: 'imap', asker: 'frontend' })).address, 'ben@local.example');
  await refused(be2.accounts.login({ ...credentials, service: 'pop3', asker: 'frontend' }), 'service-denied');
  await refused(be1.accounts.login({ ...credentials, name: 'b@local.example', service: 'imap', asker: 'frontend' }), 'not-kept-here', 'be2');
  await refused(be1.accounts.login({ ...credentials, service: 'imap', asker: 'frontend' }), 'not-kept-here', 'be2');
  await refused(be1.accounts.login({ ...credentials, service: 'imap', asker: 'client' }), 'bad-credentials');
});

test('an account that moved to a node that does not answer is not made anew here: what it left stays, for who takes it back', async (t) => {
  const be1 = await startNode(t, 'be1', ['be2']);
  await be1.accounts.local.add('ben@local.example', 'secret of ben');
  await be1.storage.markMoved('ben@local.example', 'be2', 2);
  await refused(be1.accounts.local.add('ben@local.example', 'another'), 'not-kept-here', 'be2');
  assert.deepEqual([be1.storage.find('ben@local.example'), be1.storage.transfers.leaving.leftOf('ben@local.example')], [{ at: 'moved', node: 'be2', epoch: 2 }, 'unverified']);
  await be1.accounts.local.add('new@local.example', 'of a new one');
});
