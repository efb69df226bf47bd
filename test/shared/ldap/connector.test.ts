import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Connector, ConnectorOptions } from '../../../shared/ldap/connector.ts';
import { compileSearchPattern } from '../../../shared/ldap/search-pattern.ts';
import { directoryLdif, eventually, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';

let slapd: Slapd;
let proxy: TcpProxy;
let second: TcpProxy;
const open: Connector[] = [];
const byMail = compileSearchPattern('(|(mail=%e)(mailLocalAddress=%e))');
const aliceDn = 'uid=alice,ou=people,dc=example,dc=com';

before(async () => {
  const weird = 'dn:: dWlkPW/igJlicmllblwsIErDvHJnZW4sb3U9cGVvcGxlLGRjPWV4YW1wbGUsZGM9Y29t'; // uid=o’brien\, Jürgen,ou=people,…
  slapd = await startSlapd({
    ldif: [
      directoryLdif([{ name: 'alice', mailHost: 'be1', aliases: ['al@example.com'] }, { name: 'bob', mailHost: 'be2' }, { name: 'twin1', mail: 'twin@example.com' }, { name: 'twin2', mail: 'twin@example.com' }]),
      `${weird}\nobjectClass: inetOrgPerson\nuid:: b+KAmWJyaWVuLCBKw7xyZ2Vu\ncn: x\nsn: x\nmail: obrien@example.com\nuserPassword: ${peoplesPassword}\n`,
      'dn: cn=elsewhere,dc=example,dc=com\nobjectClass: referral\nobjectClass: extensibleObject\ncn: elsewhere\nref: ldap://127.0.0.1:1/dc=elsewhere\n',
    ].join('\n'),
  });
  proxy = await TcpProxy.start(slapd.port);
  second = await TcpProxy.start(slapd.port);
});
beforeEach(async () => {
  for (const connector of open.splice(0)) connector.close();
  for (const each of [proxy, second]) {
    each.behaviour = { kind: 'pass' };
    await each.accept();
  }
});
after(async () => {
  for (const connector of open) connector.close();
  await proxy.refuse();
  await second.refuse();
  await slapd.stop();
});

function connect(changes: Partial<ConnectorOptions> = {}): Connector {
  const connector = createConnector({
    name: 'test', uris: [`ldap://127.0.0.1:${String(proxy.port)}`], searchBase: slapd.baseDn, scope: 'sub', timeoutMs: 400, connections: 3,
    log: keepingLog().log, ...changes,
  });
  open.push(connector);
  return connector;
}

const find = async (connector: Connector, address: string): Promise<string[]> =>
  (await connector.search(byMail(address), ['mail', 'mailHost'], { sizeLimit: 5 })).map(({ dn }) => dn);
const unavailable = (error: unknown): boolean => isFailure(error, 'directory-unavailable');

test('entries are found with their attributes, letter case aside; nobody is an empty answer', async () => {
  const connector = connect();
  const [alice] = await connector.search(byMail('ALICE@example.COM'), ['mail', 'mailHost'], { sizeLimit: 5 });
  assert.equal(alice?.dn, aliceDn);
  assert.deepEqual(alice.attributes.get('mailhost')?.map(String), ['be1']);
  assert.deepEqual(await find(connector, 'al@example.com'), [aliceDn]);
  assert.deepEqual(await find(connector, 'nobody@example.com'), []);
  assert.equal((await find(connector, 'twin@example.com')).length, 2);
});

test('filters of every kind mean to a directory what they say', async () => {
  const connector = connect();
  const meant: Readonly<Record<string, readonly string[]>> = {
    '(uid=alice)': ['alice'],
    '(&(uid=*)(mailHost=be2))': ['bob'],
    '(|(uid=alice)(uid=bob))': ['alice', 'bob'],
    '(&(uid=*)(!(|(uid=alice)(mail=obrien@example.com)(uid=twin*))))': ['bob'],
    '(mailHost=*)': ['alice', 'bob'],
    '(mail=al*@ex*ple.c*m)': ['alice'],
    '(mail=*bob@example.com)': ['bob'],
    '(&(uid=*)(uidNumber>=3))': [],
    '(!(!(uid~=alice)))': ['alice'],
    '(&(ou:dn:=people)(uid=bob))': ['bob'],
    '(mail:caseIgnoreIA5Match:=BOB@example.com)': ['bob'],
    '(&(createTimestamp>=20000101000000Z)(createTimestamp<=29990101000000Z)(uid=bob))': ['bob'],
    '(&(createTimestamp<=20000101000000Z)(uid=bob))': [],
  };
  for (const [pattern, names] of Object.entries(meant)) {
    const entries = await connector.search(compileSearchPattern(pattern)(''), ['uid'], { sizeLimit: 5 });
    assert.deepEqual(entries.map(({ attributes }) => String(attributes.get('uid')?.[0])).toSorted(), names, pattern);
  }
});

test('a search goes as far below its base as the scope says', async () => {
  const found = async (searchBase: string, scope: ConnectorOptions['scope']): Promise<string[]> => find(connect({ searchBase, scope }), 'alice@example.com');
  const people = aliceDn.slice(aliceDn.indexOf(',') + 1);
  assert.deepEqual([await found(slapd.baseDn, 'sub'), await found(slapd.baseDn, 'one'), await found(slapd.baseDn, 'base')], [[aliceDn], [], []]);
  assert.deepEqual([await found(people, 'one'), await found(people, 'base'), await found(aliceDn, 'base')], [[aliceDn], [], [aliceDn]]);
});

test('names made to change the filter find nobody', async () => {
  const connector = connect();
  for (const name of ['*', '*)(objectClass=*', 'alice@example.com)(|(mail=*', '\\2a', 'a\0b', '(', ')', '\\', 'alice@example.co*', '\u{1F600}@example.com', '']) {
    assert.deepEqual(await find(connector, name), [], JSON.stringify(name));
  }
});

test('passwords are checked by a bind; empty ones are refused without asking', async () => {
  const connector = connect();
  assert.equal(await connector.bind(aliceDn, peoplesPassword), 'ok');
  assert.equal(await connector.bind(aliceDn, 'wrong'), 'refused');
  assert.equal(await connector.bind('uid=nobody,dc=example,dc=com', 'x'), 'refused');
  const before = proxy.accepted;
  assert.equal(await connect().bind(aliceDn, ''), 'refused');
  assert.equal(proxy.accepted, before);
});

test('an entry whose name needs escaping can be found and bound as', async () => {
  const connector = connect();
  const [dn] = await find(connector, 'obrien@example.com');
  assert.equal(await connector.bind(dn ?? '', peoplesPassword), 'ok');
});

test('many binds at once never mix up their answers', async () => {
  const connector = connect({ timeoutMs: 4_000 });
  const verdicts = await Promise.all(Array.from({ length: 100 }, async (_, index) => await connector.bind(aliceDn, index % 2 === 0 ? peoplesPassword : 'wrong')));
  assert.deepEqual(verdicts, verdicts.map((_, index) => (index % 2 === 0 ? 'ok' : 'refused')));
  assert.ok(proxy.openConnections <= 2 * 3);
});

test('searches go on being made as the service user after the connection was lost', async () => {
  const connector = connect({ bindDn: slapd.adminDn, bindPassword: slapd.adminPassword });
  const passwords = async (): Promise<number> => (await connector.search(byMail('alice@example.com'), ['userPassword'], { sizeLimit: 1 }))[0]?.attributes.size ?? 0;
  assert.equal(await passwords(), 1);
  proxy.cutAll();
  assert.equal(await passwords(), 1, 'anonymous users don\'t see passwords');
});

test('a wrong service password is an outage, not a refusal of users', async () => {
  await assert.rejects(find(connect({ bindDn: slapd.adminDn, bindPassword: 'wrong' }), 'alice@example.com'), unavailable);
});

test('a missing search base is an outage, not an unknown user', async () => {
  await assert.rejects(find(connect({ searchBase: 'dc=nowhere,dc=com' }), 'alice@example.com'), unavailable);
});

test('referrals in a search are left out', async () => {
  assert.deepEqual(await find(connect(), 'alice@example.com'), [aliceDn]);
});

test('a search base that lies elsewhere (result code 10) is an outage, and the referral is not followed', async () => {
  const { log, lines } = keepingLog();
  await assert.rejects(find(connect({ searchBase: 'cn=elsewhere,dc=example,dc=com', log }), 'alice@example.com'), unavailable);
  assert.ok(lines.some((line) => JSON.stringify(line).includes('"resultCode":10')));
});

test('searches and checks of passwords have connections of their own, and keep them', async () => {
  const connector = connect({ bindDn: slapd.adminDn, bindPassword: slapd.adminPassword, connections: 1, timeoutMs: 4_000 });
  const opened = (): number => proxy.openConnections / 2; // it counts both sides of each
  await find(connector, 'alice@example.com');
  assert.equal(opened(), 1);
  await connector.bind(aliceDn, peoplesPassword);
  assert.equal(opened(), 2);
  const before = proxy.accepted;
  for (let round = 0; round < 10; round += 1) {
    await connector.bind(aliceDn, round % 2 === 0 ? peoplesPassword : 'wrong');
    const [alice] = await connector.search(byMail('alice@example.com'), ['userPassword'], { sizeLimit: 1 });
    assert.equal(alice?.attributes.size, 1, 'searches are made as the service user, whoever was bound');
  }
  assert.deepEqual([opened(), proxy.accepted], [2, before]);
});

test('a directory that stopped is an outage at once; when it is back, so are the answers', async () => {
  const connector = connect();
  assert.deepEqual(await find(connector, 'alice@example.com'), [aliceDn]);
  await slapd.halt();
  const startedAt = performance.now();
  await assert.rejects(find(connector, 'alice@example.com'), unavailable);
  await assert.rejects(connector.bind(aliceDn, peoplesPassword), unavailable);
  assert.ok(performance.now() - startedAt < 1_000);
  await slapd.resume();
  await eventually(async () => (await find(connector, 'alice@example.com')).length === 1);
  assert.equal(await connector.bind(aliceDn, peoplesPassword), 'ok');
});

for (const behaviour of [
  { kind: 'hang' }, { kind: 'slow', delayMs: 2_000 },
  { kind: 'cut', afterBytes: 0 }, { kind: 'cut', afterBytes: 1 }, { kind: 'cut', afterBytes: 30 },
  { kind: 'nonsense', bytes: Buffer.from('220 mail.example.com ESMTP\r\n') },
  { kind: 'nonsense', bytes: Buffer.from('300c02010161070a010004000400', 'hex') }, // a bind's answer, to whatever was asked
  { kind: 'nonsense', bytes: Buffer.from('300d02010165080a0200ff04000400', 'hex') }, // result code 255
  { kind: 'nonsense', bytes: Buffer.from('30050201017f00', 'hex') }, // an unknown operation
  { kind: 'nonsense', bytes: Buffer.from('3084ffffffff', 'hex') },
] as const) {
  const title = behaviour.kind === 'nonsense' ? `nonsense ${behaviour.bytes.toString('hex')}` : JSON.stringify(behaviour);
  test(`a directory that behaves badly (${title}) is an outage within the time limit, never a miss`, async () => {
    const connector = connect();
    proxy.behaviour = behaviour;
    const startedAt = performance.now();
    await assert.rejects(find(connector, 'alice@example.com'), unavailable);
    await sleep(260); // the pause after one failure is over
    // The answer to a bind is a good one to a bind, and has 14 bytes.
    if (!title.includes('300c02010161070a010004000400') && !title.includes(':30')) await assert.rejects(connector.bind(aliceDn, peoplesPassword), unavailable);
    assert.ok(performance.now() - startedAt < 2_500);
    proxy.behaviour = { kind: 'pass' };
    await eventually(async () => (await find(connector, 'alice@example.com')).length === 1);
  });
}

test('connections that have served and are cut in the middle of many searches lose none of them', async () => {
  const connector = connect({ timeoutMs: 3_000, connections: 3 });
  await Promise.all([1, 2, 3].map(async () => find(connector, 'alice@example.com')));
  const opened = proxy.accepted;
  proxy.behaviour = { kind: 'hang' }; // none is answered before the cut
  const searches = Array.from({ length: 50 }, async () => await find(connector, 'alice@example.com'));
  while (proxy.swallowed === 0) await sleep(1);
  proxy.behaviour = { kind: 'pass' };
  proxy.cutAll();
  assert.deepEqual(await Promise.all(searches), searches.map(() => [aliceDn]));
  assert.ok(proxy.accepted > opened, 'on others');
});

test('the second address serves while the first hangs, and the first is asked again later', async () => {
  const uris = [proxy, second].map(({ port }) => `ldap://127.0.0.1:${String(port)}`);
  const connector = connect({ uris });
  proxy.behaviour = { kind: 'hang' };
  assert.deepEqual(await find(connector, 'alice@example.com'), [aliceDn]);
  const startedAt = performance.now();
  for (let count = 0; count < 20; count += 1) assert.deepEqual(await find(connector, 'alice@example.com'), [aliceDn]);
  assert.ok(performance.now() - startedAt < 1_000, 'the hanging address is left alone');
  proxy.behaviour = { kind: 'pass' };
  await second.refuse();
  await eventually(async () => (await find(connector, 'alice@example.com')).length === 1);
});

test('of five addresses the last one serves when no other does, for searches and passwords', async () => {
  const nobody = [1, 2, 3, 4].map((port) => `ldap://127.0.0.1:${String(port)}`);
  const connector = connect({ uris: [...nobody, `ldap://127.0.0.1:${String(proxy.port)}`] });
  assert.deepEqual(await find(connector, 'alice@example.com'), [aliceDn]);
  assert.equal(await connector.bind(aliceDn, peoplesPassword), 'ok');
  assert.throws(() => connect({ uris: [...nobody, ...nobody] }), /one to five/);
});

test('options that can\'t work are refused with a reason', () => {
  assert.throws(() => connect({ uris: [] }), /one to five/);
  assert.throws(() => connect({ uris: ['http://x'] }), /not of the form/);
  assert.throws(() => connect({ bindDn: 'cn=x' }), /needs a bindPassword/);
});
