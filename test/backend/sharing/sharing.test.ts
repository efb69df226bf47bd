/** What is shared with whom: everybody of a domain, groups of the directory, what other nodes say and what they said last. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Memberships } from '../../../backend/sharing/memberships.ts';
import { OthersFolders } from '../../../backend/sharing/others-folders.ts';
import { sharedFoldersRoute } from '../../../backend/sharing/shared-folders-route.ts';
import { Sharing } from '../../../backend/sharing/sharing.ts';
import type { SharedFolder } from '../../../backend/sharing/sharing.ts';
import { startAdmin } from '../../../shared/admin/admin-server.ts';
import { Failure, isFailure } from '../../../shared/base/failure.ts';
import { createLog } from '../../../shared/log/log.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import type { Expansion } from '../../../shared/user-map/expansion.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import { noActs } from '../../harness/no-acts.ts';
import { freePort } from '../../harness/free-port.ts';
import { countTurns } from '../../harness/event-loop-turns.ts';
import { temporaryStorage } from '../storage/harness.ts';

async function sharingOf(t: TestContext, expand: (address: string) => Promise<Expansion> = async () => Promise.reject(new Failure('unknown-user', 'no such user'))) {
  const storage = await temporaryStorage(t);
  const sharing = new Sharing({
    storage, nodeName: 'be1', namespaces: { otherUsers: 'Other Users', publicFolders: 'Public Folders' },
    accounts: { lookUp: async () => Promise.resolve(undefined), expand, nodeOf: (host) => host },
    publicOwnerOf: (address) => (address.endsWith('@far.example') ? 'alice@example.com' : undefined),
    others: { sharedWith: async () => Promise.resolve({ folders: [], silent: [] }), connect: async () => Promise.reject(new Error('never')) },
  });
  const alice = await storage.createAccount('alice@example.com');
  const names = async (visitor: string): Promise<readonly string[]> => (await sharing.pageOfShared(visitor)).folders.map(({ name, rights }) => `${name} ${rights}`);
  return { storage, sharing, alice, names };
}

test('what is granted to anyone is for the owner\'s domain and those whose public folders the owner keeps, and for nobody else', async (t) => {
  const { sharing, alice, names } = await sharingOf(t);
  await alice.changeRights('INBOX', 'anyone', (entry) => ({ ...entry, allow: 'lr' }));
  assert.deepEqual([await names('bob@example.com'), await names('bob@far.example'), await names('bob@elsewhere.example'), await names('alice@example.com')], [['INBOX lr'], ['INBOX lr'], [], []]);
  assert.equal(await sharing.rightsOf('bob@elsewhere.example', alice, 'INBOX'), '');
  assert.equal(await sharing.rightsOf('alice@example.com', alice, 'Nowhere'), 'lrswipkxtea');
});

test('who has thousands of folders, and grants one of them to everybody, holds up nobody else of the process', async (t) => {
  const { alice, names } = await sharingOf(t);
  await alice.changeRights('INBOX', 'anyone', (entry) => ({ ...entry, allow: 'lr' }));
  let nowMs = 0;
  mock.method(performance, 'now', () => (nowMs += 20)); // each step takes long
  t.after(() => mock.restoreAll());
  const turns = countTurns(t);
  assert.deepEqual(await names('bob@example.com'), ['INBOX lr']);
  assert.ok(turns() >= alice.mailboxes().length, String(turns()));
});

test('an outage of the directory makes nobody a member, and nobody a stranger', async (t) => {
  let members: Expansion | 'outage' = 'outage';
  const { sharing, alice, names } = await sharingOf(t, async () => (members === 'outage' ? Promise.reject(new Failure('directory-unavailable', 'away')) : Promise.resolve(members)));
  await alice.changeRights('Sent', '$team@example.com', (entry) => ({ ...entry, allow: 'lr', deny: 't' }));
  await alice.changeRights('Sent', 'bob@example.com', (entry) => ({ ...entry, allow: 'lt' }));
  const outage = (error: unknown): boolean => isFailure(error, 'directory-unavailable');
  await assert.rejects(sharing.rightsOf('bob@example.com', alice, 'Sent'), outage);
  await assert.rejects(sharing.pageOfShared('bob@example.com'), outage);
  assert.equal(await sharing.rightsOf('bob@example.com', alice, 'INBOX'), '', 'where no group is named, nobody need be asked');
  members = { kind: 'addresses', addresses: ['Bob@example.com', 'x@example.net'] };
  assert.deepEqual(await names('bob@example.com'), ['Sent lr']);
  assert.equal(await sharing.rightsOf('carol@example.com', alice, 'Sent'), '');
});

test('a group is who is in it, not whom its mail is forwarded to', async (t) => {
  const { sharing, alice } = await sharingOf(t, async () => Promise.resolve({ kind: 'addresses', addresses: ['carol@example.com'], members: ['bob@example.com'] }));
  await alice.changeRights('Sent', '$team@example.com', (entry) => ({ ...entry, allow: 'lr' }));
  assert.deepEqual([await sharing.rightsOf('bob@example.com', alice, 'Sent'), await sharing.rightsOf('carol@example.com', alice, 'Sent')], ['lr', '']);
});

test('what is denied to a group of which nobody knows the members is denied to everybody, and what is allowed to it to nobody', async (t) => {
  const cases: readonly (readonly [group: string, expansion: Expansion | 'gone' | 'barred', rights: string])[] = [
    ['others', { kind: 'addresses', addresses: ['carol@example.com'] }, 'lrt'], ['team', { kind: 'addresses', addresses: ['bob@example.com'] }, 'lri'],
    ['empty', { kind: 'unusable', problem: 'empty' }, 'lrt'], ['large', { kind: 'unusable', problem: 'too many' }, 'lr'], ['user', { kind: 'mailbox' }, 'lr'], ['gone', 'gone', 'lr'], ['barred', 'barred', 'lr'],
  ];
  const { sharing, alice } = await sharingOf(t, async (address) => {
    const expansion = cases.find(([group]) => address === `${group}@example.com`)?.[1] ?? 'gone';
    return typeof expansion === 'object' ? Promise.resolve(expansion) : Promise.reject(new Failure(expansion === 'gone' ? 'unknown-user' : 'service-denied', 'no'));
  });
  for (const [group, , rights] of cases) {
    await alice.createMailbox(group);
    await alice.changeRights(group, `$${group}@example.com`, (entry) => ({ ...entry, allow: 'i', deny: 't' }));
    await alice.changeRights(group, 'bob@example.com', (entry) => ({ ...entry, allow: 'lrt' }));
    const reasoned = await sharing.reasonedRights('bob@example.com', alice, group);
    assert.equal(reasoned.rights, rights, group);
    assert.equal(reasoned.because.length, rights === 'lrt' ? 1 : 2, `${group}: the entry that denies is told`);
  }
});

test('members of a group are asked for once, by all who want to know at the same time', async () => {
  let asked = 0;
  const memberships = new Memberships(async () => {
    asked += 1;
    return Promise.resolve({ kind: 'addresses', addresses: ['bob@example.com'] });
  });
  const both = await Promise.all(['bob@example.com', 'carol@example.com'].map(async (address) => memberships.of('team@example.com', address)));
  assert.deepEqual([both, asked], [['yes', 'no'], 1]);
});

test('what a node said last counts while it is away; one that never said anything is told as silent', async (t) => {
  const { be1, be2 } = await makeCertificates({ be1: 'backend', be2: 'backend', fe1: 'frontend' });
  assert.ok(be1 !== undefined && be2 !== undefined);
  const folders: readonly SharedFolder[] = [{ owner: 'alice@example.com', name: 'Wörk', rights: 'lr' }];
  const port = await freePort();
  let asked = 0;
  const admin = await startAdmin({
    host: '127.0.0.1', port, serverTls: createServerTls(be2), isTrustedNode: () => true, acts: noActs, signerOf: () => 'cluster', log: createLog({ node: 'be2', level: 'silent' }),
    routes: [sharedFoldersRoute({ pageOfShared: async (visitor) => { asked += 1; return Promise.resolve({ folders: visitor === 'bob@example.com' ? folders : [], next: undefined }); } })],
  });
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => (stopping ??= admin.stop(0));
  t.after(stop);
  const others = new OthersFolders({ be2: { host: '127.0.0.1', port, tls: { key: be1.key, cert: be1.certificate, ca: be1.authority } } });
  assert.deepEqual(await others.sharedWith('bob@example.com'), { folders, silent: [] });
  assert.deepEqual((await others.sharedWith('bob@example.com')).folders, folders);
  assert.deepEqual((await others.sharedWith('carol@example.com')).folders, []);
  assert.equal(asked, 2, 'for some seconds it is not asked again');
  await stop();
  mock.method(performance, 'now', ((now: () => number) => () => now() + 60_000)(performance.now.bind(performance)));
  t.after(() => mock.restoreAll());
  assert.deepEqual(await others.sharedWith('bob@example.com'), { folders, silent: [] });
  assert.deepEqual(await others.sharedWith('dora@example.com'), { folders: [], silent: ['be2'] });
});
