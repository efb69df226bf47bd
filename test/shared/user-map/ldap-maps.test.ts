import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Connector } from '../../../shared/ldap/connector.ts';
import { limitsIn } from '../../../shared/user-map/entry-limits.ts';
import { createUserMaps, standardAttributeNames } from '../../../shared/user-map/user-maps.ts';
import type { LdapMapOptions, UserMaps } from '../../../shared/user-map/user-maps.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';

let slapd: Slapd;
let connector: Connector;
let admin: Connector;
const { log, lines } = keepingLog();

before(async () => {
  slapd = await startSlapd({
    ldif: [
      directoryLdif([
        { name: 'alice', mailHost: 'be1', aliases: ['Al@Example.com'] }, { name: 'bob', mailHost: 'be2', mail: 'Bob@Example.com' },
        { name: 'twin1', mail: 'twin@example.com' }, { name: 'twin2', mail: 'twin@example.com' }, { name: 'thief', aliases: ['bob@example.com'] },
      ]),
      'dn: cn=old,dc=example,dc=com\nobjectClass: inetOrgPerson\nobjectClass: inetLocalMailRecipient\ncn: old\nsn: old\nmailLocalAddress: nomail@example.com\nuserPassword: x\n',
      'dn: cn=odd,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: odd\nsn: odd\nmail: odd@example.com\npreferredLanguage: fr, de-AT;q=0.8, en;q=0.5\nuserPassword: {X-ODD}x\ndescription: be7\nemployeeNumber: 500M\ndepartmentNumber: 1000\n',
    ].join('\n'),
  });
  const options = { name: 'test', uris: [slapd.uri], searchBase: slapdBase.baseDn, scope: 'sub', timeoutMs: 1_000, connections: 2, log } as const;
  connector = createConnector(options);
  admin = createConnector({ ...options, bindDn: slapdBase.adminDn, bindPassword: slapdBase.adminPassword });
});
after(async () => {
  connector.close();
  admin.close();
  await slapd.stop();
});

const ldapMap = (changes: Partial<LdapMapOptions> = {}): LdapMapOptions => ({
  kind: 'ldapBind', name: 'main', connector, searchPattern: '(|(mail=%e)(mailLocalAddress=%e))', attributes: standardAttributeNames, onSeveral: 'refuse', ...changes,
});
const maps = (...list: LdapMapOptions[]): UserMaps => createUserMaps({ maps: list, log });

test('an entry has the canonical address, host and aliases, in lower case', async () => {
  assert.deepEqual(await maps(ldapMap()).lookUp('ALICE@example.com'), {
    address: 'alice@example.com', mailHost: 'be1', dn: 'uid=alice,ou=people,dc=example,dc=com', map: 'main', aliases: ['al@example.com'], routingAddress: undefined,
  });
  assert.equal((await maps(ldapMap()).lookUp('al@example.com'))?.address, 'alice@example.com');
  assert.equal(await maps(ldapMap()).lookUp('nobody@example.com'), undefined);
  assert.equal(await maps(ldapMap()).lookUp(`${'x'.repeat(400)}@example.com`), undefined);
});

test('an entry says which of our languages its user reads best, where the connector has an attribute for it', async () => {
  const attributes = { ...standardAttributeNames, language: 'preferredLanguage' };
  const languageOf = async (map: LdapMapOptions, address: string): Promise<unknown> => (await maps(map).lookUp(address))?.language;
  assert.equal(await languageOf(ldapMap({ attributes }), 'odd@example.com'), 'de');
  assert.equal(await languageOf(ldapMap({ attributes }), 'alice@example.com'), undefined);
  assert.equal(await languageOf(ldapMap(), 'odd@example.com'), undefined);
});

test('an entry says what its mailbox may hold, where the connector has attributes for it: numbers with units, and what is none says nothing', async () => {
  const limitsOf = async (names: object, address = 'odd@example.com'): Promise<unknown> => (await maps(ldapMap({ attributes: { ...standardAttributeNames, ...names } })).lookUp(address))?.limits;
  assert.deepEqual(await limitsOf({ quotaBytes: 'employeeNumber', quotaMessages: 'departmentNumber' }), { bytes: 500 * 2 ** 20, messages: 1000 });
  assert.deepEqual(await limitsOf({ quotaBytes: 'departmentNumber', quotaMessages: 'employeeNumber' }), { bytes: 1000 });
  assert.deepEqual(await limitsOf({ quotaBytes: 'employeeNumber' }, 'alice@example.com'), {});
  assert.equal(await limitsOf({}), undefined);
  const cases = [['0', { bytes: 0 }], ['2 GB', { bytes: 2 ** 31 }], ['7k', { bytes: 7168 }], ['1 TiB', { bytes: 2 ** 40 }], ['999999999999999T', { bytes: 2 ** 50 }], ['-5', {}], ['5.5M', {}], ['none', {}], ['', {}]] as const;
  for (const [bytes, limits] of cases) assert.deepEqual(limitsIn({ bytes, messages: undefined }), limits, bytes);
});

for (const [kind, use] of [['ldapBind', () => connector], ['ldapPassword', () => admin]] as const) {
  test(`${kind}: passwords are checked`, async () => {
    const list = maps(ldapMap({ kind, connector: use() }));
    const alice = await list.lookUp('alice@example.com');
    assert.ok(alice !== undefined);
    assert.equal(await list.authenticate(alice, peoplesPassword), 'ok');
    assert.equal(await list.authenticate(alice, 'wrong'), 'refused');
    assert.equal(await list.authenticate(alice, ''), 'refused');
  });
}

test('ldapPassword: a scheme that can\'t be checked is refused and logged', async () => {
  const list = maps(ldapMap({ kind: 'ldapPassword', connector: admin }));
  const odd = await list.lookUp('odd@example.com');
  assert.ok(odd !== undefined);
  assert.equal(await list.authenticate(odd, 'x'), 'refused');
  assert.ok(lines.some((line) => line['dn'] === odd.dn && String(line['msg']).includes('scheme')));
});

test('several entries for one address are a temporary failure that the log explains, never one of them', async () => {
  for (const address of ['twin@example.com', 'bob@example.com']) {
    await assert.rejects(maps(ldapMap()).lookUp(address), (error) => isFailure(error, 'directory-unavailable'));
    assert.ok(lines.some((line) => line['address'] === address && Array.isArray(line['entries']) && line['entries'].length === 2));
  }
  assert.equal((await maps(ldapMap({ onSeveral: 'first' })).lookUp('twin@example.com'))?.dn, 'uid=twin1,ou=people,dc=example,dc=com');
});

test('an entry without an address is a temporary failure', async () => {
  await assert.rejects(maps(ldapMap()).lookUp('nomail@example.com'), (error) => isFailure(error, 'directory-unavailable'));
});

test('attribute names are parameters', async () => {
  const list = maps(ldapMap({ attributes: { ...standardAttributeNames, mailHost: 'description' } }));
  assert.equal((await list.lookUp('odd@example.com'))?.mailHost, 'be7');
});

test('maps are asked in order, for their domains; an outage of one is no miss', async () => {
  const away = createConnector({ name: 'away', uris: ['ldap://127.0.0.1:1'], searchBase: 'dc=x', scope: 'sub', timeoutMs: 300, connections: 1, log });
  const elsewhere = ldapMap({ name: 'elsewhere', connector: away, domains: ['Example.org'] });
  const both = maps(elsewhere, ldapMap());
  assert.equal((await both.lookUp('alice@example.com'))?.map, 'main');
  await assert.rejects(both.lookUp('alice@example.org'), (error) => isFailure(error, 'directory-unavailable'));
  await assert.rejects(maps(ldapMap({ name: 'first', connector: away }), ldapMap()).lookUp('alice@example.com'), (error) => isFailure(error, 'directory-unavailable'));
  away.close();
});

test('two maps of one name are refused', () => {
  assert.throws(() => maps(ldapMap(), ldapMap()), /same name/);
});
