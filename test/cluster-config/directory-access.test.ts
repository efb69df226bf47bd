/** What the configuration says of directories, on real ones: where changes are written, and what comes of them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { openDirectoryAccess } from '../../cluster-config/directory-access.ts';
import type { DirectoryAccess } from '../../cluster-config/directory-access.ts';
import { configOfNode, parseConfig } from '../../cluster-config/load.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import { startEmbeddedDirectory } from '../harness/embedded-directory.ts';
import { startReplicatedDirectory } from '../harness/lagging-replica.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../harness/people.ts';
import { slapdBase, startSlapd } from '../harness/slapd.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { sample } from './sample.ts';

interface Directory { readonly uri: string; readonly port: number; stop(): Promise<void> }

const ldif = directoryLdif([{ name: 'alice', mailHost: 'be1' }, { name: 'bob', mailHost: 'be1' }]);
const policy = [
  'dn: cn=policy,dc=example,dc=com', 'objectClass: person', 'objectClass: pwdPolicy', 'cn: policy', 'sn: policy', 'pwdAttribute: userPassword',
  'pwdCheckQuality: 2', 'pwdMinLength: 8', 'pwdInHistory: 3', '',
].join('\n');
const withPolicy = {
  ldif: `${ldif}\n${policy}`,
  more: { global: ['moduleload ppolicy'], database: ['overlay ppolicy', 'ppolicy_default "cn=policy,dc=example,dc=com"'] },
};
const kinds: readonly (readonly [string, () => Promise<Directory>])[] = [
  ['slapd', async () => startSlapd(withPolicy)],
  ['the embedded directory', async () => startEmbeddedDirectory({ ldif })],
];
let folder: string;
const { log, lines } = keepingLog();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-access-'));
  await writeFile(join(folder, 'admin'), `${slapdBase.adminPassword}\n`);
});
after(async () => { await rm(folder, { recursive: true }); });

const failsWith = (kind: FailureKind, text?: RegExp) => (error: unknown): boolean => isFailure(error, kind) && (text === undefined || text.test(error.message));

/** @param connector lines of the connector, one parameter each */
async function open(context: TestContext, connector: readonly string[], map: 'ldapBind' | 'ldapPassword' = 'ldapBind'): Promise<DirectoryAccess> {
  const base = connector.some((line) => line.startsWith('searchBase:')) ? [] : [`searchBase: ${slapdBase.baseDn}`];
  const all = ['name: directory', ...base, 'timeoutSeconds: 1', ...connector];
  const start = sample.indexOf('  ldapConnectors:');
  const text = `${sample.slice(0, start)}  ldapConnectors:\n    - ${all.join('\n      ')}\n${sample.slice(sample.indexOf('  userMaps:')).replace('type: ldapBind', `type: ${map}`)}`;
  const file = join(folder, 'waybill.yaml');
  const access = await openDirectoryAccess(configOfNode(parseConfig(text, file), 'fe1', file), { log, environment: {} });
  context.after(() => { access.close(); });
  return access;
}

const writeTo = (uri: string): string => `write: { uri: "${uri}", bindDn: "${slapdBase.adminDn}", bindPassword: { file: admin } }`;

async function userOf({ maps }: DirectoryAccess, name: string): Promise<UserEntry> {
  const entry = await maps.lookUp(`${name}@example.com`);
  assert.ok(entry !== undefined);
  return entry;
}

const person = (rdn: string, lines: readonly string[]): string => `dn: cn=${rdn},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: ${rdn}\nsn: x\n${lines.join('\n')}\n`;

test('what a connector says of base, scope, pattern, names of attributes and several matches is done', async (context) => {
  const renamed = person('renamed', ['mail: not-this-one@example.com', 'userPassword: not this one', 'employeeType: Renamed@example.com', 'carLicense: also@example.com', 'roomNumber: be2', 'displayName: renamed@example.net', 'title: by another name', 'departmentNumber: de-AT', 'description: %renamed']);
  const twins = ['b', 'a'].map((rdn) => person(rdn, ['employeeType: twin@example.com', 'description: %twin']));
  const directory = await startSlapd({ ldif: [ldif, renamed, ...twins].join('\n') });
  context.after(directory.stop);
  const wellKnown = [`uris: ["ldap://127.0.0.1:1", "ldap://127.0.0.1:2", "ldap://127.0.0.1:3", "ldap://127.0.0.1:4", "${directory.uri}"]`, `bindDn: "${slapdBase.adminDn}"`, 'bindPassword: { file: admin }'];
  const names = 'attributes: { address: employeeType, alias: carLicense, host: roomNumber, routingAddress: displayName, password: title, language: departmentNumber }';
  const pattern = 'searchPattern: "(|(carLicense=%e)(employeeType=%u@%d)(description=%%%u))"';
  const people = 'searchBase: ou=people,dc=example,dc=com';
  const access = await open(context, [...wellKnown, people, 'searchScope: one', pattern, names, 'severalMatches: first'], 'ldapPassword');
  const entry = await access.maps.lookUp('also@example.com');
  assert.deepEqual(entry, { address: 'renamed@example.com', mailHost: 'be2', dn: 'cn=renamed,ou=people,dc=example,dc=com', map: 'users', aliases: ['also@example.com'], routingAddress: 'renamed@example.net', language: 'de', via: 'alias' });
  assert.ok(entry !== undefined);
  assert.deepEqual([await access.maps.authenticate(entry, 'by another name'), await access.maps.authenticate(entry, 'not this one')], ['ok', 'refused']);
  for (const name of ['renamed@example.com', 'renamed']) assert.equal((await access.maps.lookUp(name))?.dn, entry.dn, name);
  assert.equal((await access.maps.lookUp('twin@example.com'))?.dn, 'cn=a,ou=people,dc=example,dc=com');
  const refusing = await open(context, [...wellKnown, people, pattern, names]);
  await assert.rejects(refusing.maps.lookUp('twin@example.com'), failsWith('directory-unavailable'));
  for (const [scope, base] of [['one', 'searchBase: dc=example,dc=com'], ['base', people]] as const) {
    const elsewhere = await open(context, [...wellKnown, base, `searchScope: ${scope}`, pattern, names]);
    assert.equal(await elsewhere.maps.lookUp('renamed@example.com'), undefined, scope);
  }
});

for (const [kind, start] of kinds) {
  test(`${kind}: a user changes the own password, an administrator anybody's`, async (context) => {
    const directory = await start();
    context.after(directory.stop);
    const access = await open(context, [`uris: ["${directory.uri}"]`, writeTo(directory.uri)]);
    const alice = await userOf(access, 'alice');
    await assert.rejects(access.maps.changePassword(alice, { kind: 'own', old: 'wrong' }, 'a-new-one'), failsWith('bad-credentials'));
    assert.equal(await access.maps.authenticate(alice, peoplesPassword), 'ok', 'nothing has changed');
    await access.maps.changePassword(alice, { kind: 'own', old: peoplesPassword }, 'täglich "neu" €');
    assert.equal(await access.maps.authenticate(alice, peoplesPassword), 'refused');
    assert.equal(await access.maps.authenticate(alice, 'täglich "neu" €'), 'ok');
    await access.maps.changePassword(alice, { kind: 'reset' }, 'set-by-admin');
    assert.equal(await access.maps.authenticate(alice, 'set-by-admin'), 'ok');
    assert.equal(await access.maps.authenticate(await userOf(access, 'bob'), peoplesPassword), 'ok', 'nobody else\'s password changed');
    for (const change of [{ kind: 'reset' }, { kind: 'own', old: 'set-by-admin' }] as const) {
      await assert.rejects(access.maps.changePassword(alice, change, ''), failsWith('bad-input'));
    }
    await assert.rejects(access.maps.changePassword(alice, { kind: 'own', old: '' }, 'whatever-it-is'), failsWith('bad-input'));
    assert.ok(!JSON.stringify(lines).includes('set-by-admin'), 'no password in the log');
  });

  test(`${kind}: passwords are written to the provider, wherever is searched`, async (context) => {
    const [replica, provider] = [await start(), await start()];
    context.after(replica.stop);
    context.after(provider.stop);
    const access = await open(context, [`uris: ["${replica.uri}"]`, writeTo(provider.uri)]);
    const atProvider = await open(context, [`uris: ["${provider.uri}"]`]);
    const alice = await userOf(access, 'alice');
    for (const [change, next] of [[{ kind: 'own', old: peoplesPassword }, 'first-new'], [{ kind: 'reset' }, 'second-new']] as const) {
      await access.maps.changePassword(alice, change, next);
      assert.equal(await atProvider.maps.authenticate(alice, next), 'ok');
      assert.equal(await access.maps.authenticate(alice, peoplesPassword), 'ok', 'these two do not replicate');
    }
  });

  test(`${kind}: without a provider named, users change their own passwords where they log in, and nobody resets them`, async (context) => {
    const directory = await start();
    context.after(directory.stop);
    const access = await open(context, [`uris: ["${directory.uri}"]`]);
    const bob = await userOf(access, 'bob');
    await access.maps.changePassword(bob, { kind: 'own', old: peoplesPassword }, 'bobs-new-one');
    assert.equal(await access.maps.authenticate(bob, 'bobs-new-one'), 'ok');
    await assert.rejects(access.maps.changePassword(bob, { kind: 'reset' }, 'not-possible'), failsWith('forbidden'));
  });
}

test('a password against the directory\'s rules is refused with its reason', async (context) => {
  const slapd = await startSlapd(withPolicy);
  context.after(slapd.stop);
  const access = await open(context, [`uris: ["${slapd.uri}"]`]);
  const alice = await userOf(access, 'alice');
  await assert.rejects(access.maps.changePassword(alice, { kind: 'own', old: peoplesPassword }, 'short'), failsWith('password-refused', /quality/));
  await assert.rejects(access.maps.changePassword(alice, { kind: 'own', old: peoplesPassword }, peoplesPassword), failsWith('password-refused', /history|not being changed/));
  assert.equal(await access.maps.authenticate(alice, peoplesPassword), 'ok');
});

test('what OpenLDAP\'s password policy says of an account: locked, expired, to be changed', async (context) => {
  const states = directoryLdif([{ name: 'alice' }, { name: 'old' }, { name: 'fresh' }])
    .replace('uid: old\n', 'uid: old\npwdChangedTime: 20200101000000Z\n').replace('uid: fresh\n', 'uid: fresh\npwdReset: TRUE\n');
  const rules = `${policy}pwdMaxAge: 86400\npwdMustChange: TRUE\npwdLockout: TRUE\npwdMaxFailure: 3\n`;
  const slapd = await startSlapd({ ldif: `${states}\n${rules}`, more: { ...withPolicy.more, database: [...withPolicy.more.database, 'ppolicy_use_lockout'] } });
  context.after(slapd.stop);
  const access = await open(context, [`uris: ["${slapd.uri}"]`]);
  const [alice, old, fresh] = [await userOf(access, 'alice'), await userOf(access, 'old'), await userOf(access, 'fresh')];
  await assert.rejects(access.maps.authenticate(old, peoplesPassword), failsWith('password-expired', /expired/));
  await assert.rejects(access.maps.authenticate(fresh, peoplesPassword), failsWith('password-expired', /must be changed/));
  for (const entry of [old, fresh]) assert.equal(await access.maps.authenticate(entry, 'wrong'), 'refused');
  await access.maps.changePassword(fresh, { kind: 'own', old: peoplesPassword }, 'a-brand-new-one');
  assert.equal(await access.maps.authenticate(fresh, 'a-brand-new-one'), 'ok');
  for (let attempt = 0; attempt < 3; attempt += 1) await access.maps.authenticate(alice, 'wrong');
  await assert.rejects(access.maps.authenticate(alice, peoplesPassword), failsWith('account-locked'));
});

test('a provider that is away, hangs or is a replica changes nothing and says which', async (context) => {
  const slapd = await startSlapd({ ldif });
  const replica = await startSlapd({ ldif, more: { database: ['readonly on'] } });
  const link = await TcpProxy.start(slapd.port);
  context.after(slapd.stop);
  context.after(replica.stop);
  context.after(async () => link.refuse());
  const access = await open(context, [`uris: ["${slapd.uri}"]`, writeTo(`ldap://127.0.0.1:${String(link.port)}`)]);
  const alice = await userOf(access, 'alice');
  for (const change of [{ kind: 'own', old: peoplesPassword }, { kind: 'reset' }] as const) {
    link.behaviour = { kind: 'hang' };
    await assert.rejects(access.maps.changePassword(alice, change, 'another-one'), failsWith('directory-unavailable'));
    link.behaviour = { kind: 'cut', afterBytes: 3 };
    await assert.rejects(access.maps.changePassword(alice, change, 'another-one'), failsWith('directory-unavailable'));
    const atReplica = await open(context, [`uris: ["${slapd.uri}"]`, writeTo(replica.uri)]);
    await assert.rejects(atReplica.maps.changePassword(alice, change, 'another-one'), failsWith('forbidden'));
  }
  const wrongService = await open(context, [`uris: ["${slapd.uri}"]`, writeTo(slapd.uri).replace('cn=admin', 'cn=nobody')]);
  await assert.rejects(wrongService.maps.changePassword(alice, { kind: 'reset' }, 'another-one'), failsWith('directory-unavailable'));
  assert.equal(await access.maps.authenticate(alice, peoplesPassword), 'ok');
});

test('Active Directory gets passwords over TLS only', async (context) => {
  const slapd = await startSlapd({ ldif });
  context.after(slapd.stop);
  const access = await open(context, ['serverType: activeDirectory', 'searchPattern: "(mail=%e)"', `uris: ["${slapd.uri}"]`]);
  await assert.rejects(access.maps.changePassword(await userOf(access, 'alice'), { kind: 'own', old: peoplesPassword }, 'another-one'), failsWith('forbidden', /TLS/));
});

test('an account that moves there and back while the replica lags is named rightly by the provider in the end', async (context) => {
  const directory = await startReplicatedDirectory(ldif);
  context.after(directory.stop);
  await directory.caughtUp('alice', 'be1');
  await directory.cut();
  const access = await open(context, [`uris: ["${directory.replica.uri}"]`, writeTo(directory.provider.uri)]);
  assert.deepEqual(await access.setHost(await userOf(access, 'alice'), 'be2'), { kind: 'written' });
  assert.deepEqual([await directory.mailHost('provider', 'alice'), (await userOf(access, 'alice')).mailHost], ['be2', 'be1']);
  assert.deepEqual(await access.setHost(await userOf(access, 'alice'), 'be2'), { kind: 'already' });
  assert.deepEqual(await access.setHost(await userOf(access, 'alice'), 'be1'), { kind: 'written' });
  assert.equal(await directory.mailHost('provider', 'alice'), 'be1');
  await directory.setMailHost('alice', 'be3'); // by hand, and unknown to the replica
  await access.setHost(await userOf(access, 'alice'), 'be2');
  assert.equal(await directory.mailHost('provider', 'alice'), 'be2');
});
