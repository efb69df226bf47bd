/** Two OpenLDAP servers, one of them a replica that may lag: who is asked, who is written to, and what a change of password is worth meanwhile. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDirectoryAccess } from '../../cluster-config/directory-access.ts';
import type { DirectoryAccess } from '../../cluster-config/directory-access.ts';
import { configOfNode, parseConfig } from '../../cluster-config/load.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../harness/people.ts';
import { startReplicatedSlapd } from '../harness/replicated-slapd.ts';
import type { ReplicatedSlapd } from '../harness/replicated-slapd.ts';
import { slapdBase } from '../harness/slapd.ts';
import type { Slapd } from '../harness/slapd.ts';
import { sample } from './sample.ts';

const { log } = keepingLog();
let folder: string;
let both: ReplicatedSlapd;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-replication-'));
  await writeFile(join(folder, 'admin'), `${slapdBase.adminPassword}\n`);
  both = await startReplicatedSlapd({ ldif: directoryLdif(['alice', 'bob', 'carol'].map((name) => ({ name, mailHost: 'be1' }))) });
});
after(async () => {
  await both.stop();
  await rm(folder, { recursive: true });
});

/** Asks these in their order, and writes to the provider. */
async function asking(context: TestContext, ...servers: readonly Slapd[]): Promise<DirectoryAccess> {
  const start = sample.indexOf('  ldapConnectors:');
  const connector = `  ldapConnectors:
    - name: directory
      uris: [${servers.map(({ uri }) => `"${uri}"`).join(', ')}]
      searchBase: ${slapdBase.baseDn}
      timeoutSeconds: 1
      write: { uri: "${both.provider.uri}", bindDn: "${slapdBase.adminDn}", bindPassword: { file: admin } }
`;
  const file = join(folder, 'waybill.yaml');
  const config = parseConfig(`${sample.slice(0, start)}${connector}${sample.slice(sample.indexOf('  userMaps:'))}`, file);
  const access = await openDirectoryAccess(configOfNode(config, 'fe1', file), { log, environment: {} });
  context.after(() => { access.close(); });
  return access;
}

async function userOf({ maps }: DirectoryAccess, name: string): Promise<UserEntry> {
  const entry = await maps.lookUp(`${name}@example.com`);
  assert.ok(entry !== undefined);
  return entry;
}

/** Milliseconds until it holds. */
async function timeUntil(condition: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  while (!await condition()) {
    assert.ok(performance.now() - startedAt < 15_000, 'it never came true');
    await sleep(2);
  }
  return performance.now() - startedAt;
}

test('the replica serves while the provider is down, and the provider again when it is back', async (context) => {
  const access = await asking(context, both.provider, both.replica);
  await userOf(access, 'alice');
  await both.provider.halt();
  for (let login = 0; login < 10; login += 1) assert.equal(await access.maps.authenticate(await userOf(access, 'alice'), peoplesPassword), 'ok');
  await both.provider.resume();
  await both.replica.halt();
  // The provider is left alone for a moment after its failure, and nobody else is there.
  const verdict = async (): Promise<string> => await access.maps.authenticate(await userOf(access, 'alice'), peoplesPassword);
  await timeUntil(async () => await verdict().catch(() => 'away') === 'ok');
  await both.replica.resume();
});

test('a new password holds at once at the provider, and at a replica as soon as that follows', async (context) => {
  const [atReplica, atProvider] = [await asking(context, both.replica), await asking(context, both.provider)];
  const bob = await userOf(atReplica, 'bob');
  await atReplica.maps.changePassword(bob, { kind: 'own', old: peoplesPassword }, 'bobs-second');
  assert.equal(await atProvider.maps.authenticate(bob, 'bobs-second'), 'ok');
  assert.equal(await atProvider.maps.authenticate(bob, peoplesPassword), 'refused');
  const followedMs = await timeUntil(async () => await atReplica.maps.authenticate(bob, 'bobs-second') === 'ok');
  assert.equal(await atReplica.maps.authenticate(bob, peoplesPassword), 'refused');
  context.diagnostic(`the replica took the new password after ${followedMs.toFixed(0)} ms`);
});

test('a replica that lags knows the old password until it follows, and no longer', async (context) => {
  const [atReplica, atProvider] = [await asking(context, both.replica), await asking(context, both.provider)];
  const carol = await userOf(atReplica, 'carol');
  both.lag();
  await atReplica.maps.changePassword(carol, { kind: 'reset' }, 'carols-second');
  assert.equal(await atProvider.maps.authenticate(carol, 'carols-second'), 'ok');
  await sleep(300);
  assert.equal(await atReplica.maps.authenticate(carol, 'carols-second'), 'refused');
  both.catchUp();
  const followedMs = await timeUntil(async () => await atReplica.maps.authenticate(carol, 'carols-second') === 'ok');
  assert.equal(await atReplica.maps.authenticate(carol, peoplesPassword), 'refused');
  context.diagnostic(`the replica took the new password ${followedMs.toFixed(0)} ms after the link was back`);
});

test('a host is written to the provider, also by who asks a replica that lags', async (context) => {
  const [atReplica, atProvider] = [await asking(context, both.replica), await asking(context, both.provider)];
  both.lag();
  assert.deepEqual(await atReplica.setHost(await userOf(atReplica, 'alice'), 'be2'), { kind: 'written' });
  assert.equal((await userOf(atProvider, 'alice')).mailHost, 'be2');
  assert.equal((await userOf(atReplica, 'alice')).mailHost, 'be1');
  both.catchUp();
  await timeUntil(async () => (await userOf(atReplica, 'alice')).mailHost === 'be2');
});
