import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Connector } from '../../../shared/ldap/connector.ts';
import type { ExpansionRules } from '../../../shared/user-map/expansion.ts';
import { createUserMaps, standardAttributeNames } from '../../../shared/user-map/user-maps.ts';
import type { UserEntry, UserMaps } from '../../../shared/user-map/user-maps.ts';
import { baseLdif, keepingLog, personLdif } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';

let slapd: Slapd;
let proxy: TcpProxy;
let connector: Connector;
const { log } = keepingLog();

const group = (name: string, lines: readonly string[]): string =>
  [`dn: cn=${name},dc=example,dc=com`, 'objectClass: groupOfNames', 'objectClass: extensibleObject', `cn: ${name}`, `mail: ${name}@example.com`, ...lines, ''].join('\n');
const forward = (name: string, to: string): string => personLdif({ name, mailHost: 'be1' }).replace('userPassword', `mailRoutingAddress: ${to}\nuserPassword`);

before(async () => {
  slapd = await startSlapd({
    ldif: [
      baseLdif, personLdif({ name: 'alice', mailHost: 'be1' }), personLdif({ name: 'bob', mailHost: 'be2' }), forward('tick', 'tock@example.com'), forward('tock', 'tick@example.com'), forward('away', 'away@example.net'),
      group('list', ['member: uid=alice,ou=people,dc=example,dc=com', 'description: Carol@Example.NET', 'description: bob@example.com', 'description: no address']),
      group('team', ['member: uid=away,ou=people,dc=example,dc=com', 'member: cn=pair,dc=example,dc=com', 'description: away@example.com']),
      group('pair', ['member: uid=alice,ou=people,dc=example,dc=com', 'member: uid=bob,ou=people,dc=example,dc=com']),
    ].join('\n'),
  });
  proxy = await TcpProxy.start(slapd.port);
  connector = createConnector({ name: 'test', uris: [`ldap://127.0.0.1:${String(proxy.port)}`], searchBase: slapdBase.baseDn, scope: 'sub', timeoutMs: 400, connections: 2, log });
});
after(async () => {
  connector.close();
  await proxy.refuse();
  await slapd.stop();
});

function maps(rules: Partial<ExpansionRules> = {}, searchPattern = '(mail=%e)'): UserMaps {
  return createUserMaps({
    log,
    expansion: { forwardKeepsCopy: 'yes', maxDepth: 8, maxMembers: 100, ...rules },
    addressing: { isOurs: (domain) => domain === 'example.com', domainAliases: {}, catchAll: {}, detailSeparator: '+' },
    maps: [{
      kind: 'ldapBind', name: 'main', connector, searchPattern, attributes: standardAttributeNames, onSeveral: 'refuse',
      groups: { searchPattern: '(mail=%e)', objectClasses: ['groupOfNames'], memberAttribute: 'member', addressAttribute: 'description' },
    }],
  });
}

async function entryOf(list: UserMaps, name: string): Promise<UserEntry> {
  const entry = await list.lookUp(`${name}@example.com`);
  assert.ok(entry !== undefined);
  return entry;
}

test('members are named by entry or by address, ours or others\', and a value that is no address is left out', async () => {
  const list = maps();
  assert.deepEqual(await list.expand(await entryOf(list, 'list')), { kind: 'addresses', addresses: ['alice@example.com', 'Carol@example.net', 'bob@example.com'] });
  assert.deepEqual(await list.expand(await entryOf(list, 'alice')), { kind: 'mailbox' });
});

test('who is in a group is told beside where its mail goes: a member that forwards is in it, whom it forwards to is not', async () => {
  const list = maps({ forwardKeepsCopy: 'no' });
  assert.deepEqual(await list.expand(await entryOf(list, 'team')), {
    kind: 'addresses', addresses: ['away@example.net', 'alice@example.com', 'bob@example.com'], members: ['away@example.com', 'alice@example.com', 'bob@example.com'],
  });
});

test('users who forward to each other have their mailboxes where copies are kept; else it is a loop', async () => {
  const [keeping, moving] = [maps(), maps({ forwardKeepsCopy: 'no' })];
  assert.deepEqual(await keeping.expand(await entryOf(keeping, 'tick')), { kind: 'addresses', addresses: ['tick@example.com', 'tock@example.com'] });
  assert.deepEqual(await moving.expand(await entryOf(moving, 'tick')), { kind: 'unusable', problem: 'loop' });
  assert.deepEqual(await moving.expand(await entryOf(moving, 'away')), { kind: 'addresses', addresses: ['away@example.net'] });
});

test('a name that only a pattern with %u knows logs in: uid here, sAMAccountName in Active Directory', async () => {
  const list = maps({}, '(|(mail=%e)(uid=%u))');
  const entry = await list.lookUp('alice@elsewhere.example');
  assert.equal(entry?.address, 'alice@example.com');
  assert.equal(entry !== undefined && (await list.authenticate(entry, 'waybill-demo')), 'ok');
});

test('a directory that goes away between the group and its members is an outage, not a group without members', async () => {
  const list = maps();
  const entry = await entryOf(list, 'pair');
  await proxy.refuse();
  await assert.rejects(list.expand(entry), (error) => isFailure(error, 'directory-unavailable'));
  await proxy.accept();
});
