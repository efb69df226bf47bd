import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { createMapping } from '../../../frontend/mapping/mapping.ts';
import type { MapAnswer, Mapping, MappingOptions } from '../../../frontend/mapping/mapping.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Connector } from '../../../shared/ldap/connector.ts';
import { createUserMaps, standardAttributeNames } from '../../../shared/user-map/user-maps.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { directoryLdif, eventually, keepingLog } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';

let slapd: Slapd;
let proxy: TcpProxy;
let connector: Connector;
let clock = 0;
const { log } = keepingLog();
const away = (error: unknown): boolean => isFailure(error, 'directory-unavailable');

before(async () => {
  slapd = await startSlapd({
    ldif: directoryLdif([
      { name: 'alice', mailHost: 'be1', aliases: ['al@example.com'] }, { name: 'bob', mailHost: 'be2' }, { name: 'homeless' },
      { name: 'lost', mailHost: 'be9' }, { name: 'foreign', mailHost: 'imap.example.net:1143' }, { name: 'plus', mailHost: 'be2', mail: 'a+b@example.com' },
      { name: 'gone', mailHost: 'be1', aliases: ['away@example.com'] },
    ]),
  });
  proxy = await TcpProxy.start(slapd.port);
});
beforeEach(async () => {
  proxy.behaviour = { kind: 'pass' };
  await proxy.accept();
  clock = 0;
  connector = createConnector({
    name: 'test', uris: [`ldap://127.0.0.1:${String(proxy.port)}`], searchBase: slapdBase.baseDn, scope: 'sub', timeoutMs: 400, connections: 2, log,
  });
  await setHost('bob', 'be2');
});
afterEach(() => { connector.close(); });
after(async () => {
  await proxy.refuse();
  await slapd.stop();
});

function mapping(changes: Partial<MappingOptions> = {}): Mapping {
  const maps = createUserMaps({
    log,
    maps: [{ kind: 'ldapBind', name: 'main', connector, searchPattern: '(|(mail=%e)(mailLocalAddress=%e))', attributes: standardAttributeNames, onSeveral: 'refuse' }],
  });
  return createMapping({
    maps, log, primaryDomain: 'example.com', localDomains: ['Example.org'], onMiss: 'refuse', maxEntries: 100,
    resolveHost: (host) => {
      if (/^be[12]$/.test(host)) return { kind: 'node', node: host };
      return host.includes('.') ? { kind: 'host', host: host.split(':')[0] ?? '', port: Number(host.split(':')[1]) } : undefined;
    },
    ages: { positiveMs: 1_000, negativeMs: 200, staleMs: 5_000 }, now: () => clock, ...changes,
  });
}

async function setHost(name: string, host: string): Promise<void> {
  const input = `dn: uid=${name},ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mailHost\nmailHost: ${host}\n`;
  const { code } = await runTool('ldapmodify', { uri: slapd.uri, as: [slapd.adminDn, slapd.adminPassword], input });
  assert.equal(code, 0);
}

function found(answer: MapAnswer): { address: string; where: string; from: string } {
  assert.equal(answer.kind, 'found');
  if (answer.kind !== 'found') throw new Error('not reached');
  const { route } = answer;
  return { address: answer.address, where: route.kind === 'node' ? route.node : `${route.host}:${String(route.port)}`, from: answer.from };
}

test('addresses, aliases, bare names and plus-addresses lead to the account and its node', async () => {
  const map = mapping();
  for (const address of ['alice@example.com', 'ALICE@Example.COM', 'al@example.com', 'alice', 'alice+news@example.com', 'al+x+y@example.com']) {
    assert.deepEqual({ ...found(await map.lookUp(address)), from: '' }, { address: 'alice@example.com', where: 'be1', from: '' }, address);
  }
  assert.deepEqual(found(await map.lookUp('a+b@example.com')), { address: 'a+b@example.com', where: 'be2', from: 'directory' }, 'an entry of that very name goes first');
  assert.equal(found(await map.lookUp('foreign@example.com')).where, 'imap.example.net:1143');
});

test('unknown is not foreign, and only our own domains are asked about', async () => {
  const map = mapping();
  assert.equal((await map.lookUp('nobody@example.com')).kind, 'unknown');
  assert.equal((await map.lookUp('nobody@example.org')).kind, 'unknown');
  const { questions } = map.counters;
  assert.equal((await map.lookUp('alice@elsewhere.net')).kind, 'foreign');
  assert.equal((await map.lookUp('alice@example.com@elsewhere.net')).kind, 'foreign');
  assert.equal(map.counters.questions, questions);
});

test('an answer is kept for its age and then asked for again', async () => {
  const map = mapping();
  assert.deepEqual(found(await map.lookUp('bob@example.com')), { address: 'bob@example.com', where: 'be2', from: 'directory' });
  await setHost('bob', 'be1');
  clock = 999;
  assert.deepEqual(found(await map.lookUp('bob@example.com')), { address: 'bob@example.com', where: 'be2', from: 'cache' });
  clock = 1_000;
  assert.deepEqual(found(await map.lookUp('bob@example.com')), { address: 'bob@example.com', where: 'be1', from: 'directory' });
  assert.deepEqual(map.counters, { hits: 1, misses: 2, stale: 0, questions: 2 });
});

test('a fresh question and a forgotten answer see a change at once', async () => {
  const map = mapping();
  await map.lookUp('bob@example.com');
  await setHost('bob', 'be1');
  assert.equal(found(await map.lookUp('bob@example.com', { fresh: 'yes' })).where, 'be1');
  assert.equal(found(await map.lookUp('bob@example.com')).where, 'be1');
  await setHost('bob', 'be2');
  map.forget('Bob@example.com');
  assert.equal(found(await map.lookUp('bob@example.com')).where, 'be2');
});

test('forgetting an alias forgets the account', async () => {
  const map = mapping();
  await map.lookUp('alice@example.com');
  await map.lookUp('al@example.com');
  map.forget('al@example.com');
  const { questions } = map.counters;
  await map.lookUp('alice@example.com');
  assert.equal(map.counters.questions, questions + 1);
});

test('who was removed is removed by all names: none of them serves at the next outage', async () => {
  const map = mapping();
  for (const name of ['gone@example.com', 'away@example.com']) assert.equal(found(await map.lookUp(name)).where, 'be1');
  const { code } = await runTool('ldapmodify', { uri: slapd.uri, as: [slapd.adminDn, slapd.adminPassword], input: 'dn: uid=gone,ou=people,dc=example,dc=com\nchangetype: delete\n' });
  assert.equal(code, 0);
  assert.equal((await map.lookUp('gone@example.com', { fresh: 'yes' })).kind, 'unknown');
  await proxy.refuse();
  await assert.rejects(map.lookUp('away@example.com', { fresh: 'yes' }), away);
});

test('an unknown address is remembered for a shorter time', async () => {
  const map = mapping();
  await map.lookUp('late@example.com');
  clock = 199;
  assert.deepEqual(await map.lookUp('late@example.com'), { kind: 'unknown', from: 'cache' });
  const entry = 'dn: uid=late,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nobjectClass: inetLocalMailRecipient\nuid: late\ncn: late\nsn: late\nmail: late@example.com\nmailHost: be1\n';
  assert.equal((await runTool('ldapadd', { uri: slapd.uri, as: [slapd.adminDn, slapd.adminPassword], input: entry })).code, 0);
  clock = 200;
  assert.equal(found(await map.lookUp('late@example.com')).where, 'be1');
});

test('many who ask at once ask the directory once', async () => {
  const map = mapping();
  const answers = await Promise.all(Array.from({ length: 50 }, async () => await map.lookUp('bob@example.com')));
  for (const answer of answers) assert.equal(found(answer).where, 'be2');
  assert.equal(map.counters.questions, 1);
});

for (const behaviour of [{ kind: 'refuse' }, { kind: 'hang' }, { kind: 'slow', delayMs: 1_500 }, { kind: 'cut', afterBytes: 20 }, { kind: 'nonsense', bytes: Buffer.from('HTTP/1.1 404 Not Found\r\n\r\n') }] as const) {
  test(`a directory that is away (${behaviour.kind}): known users go on for a bounded time, others get a temporary failure, nobody is unknown`, async () => {
    const map = mapping();
    await map.lookUp('bob@example.com');
    assert.equal((await map.lookUp('nobody@example.com')).kind, 'unknown');
    if (behaviour.kind === 'refuse') await proxy.refuse();
    proxy.cutAll();
    proxy.behaviour = behaviour;
    clock = 4_999;
    assert.deepEqual(found(await map.lookUp('bob@example.com')), { address: 'bob@example.com', where: 'be2', from: 'stale' });
    await assert.rejects(map.lookUp('alice@example.com'), away);
    await assert.rejects(map.lookUp('nobody@example.com'), away, 'an old "unknown" is no answer');
    clock = 5_000;
    await assert.rejects(map.lookUp('bob@example.com'), away);
    await proxy.accept();
    proxy.behaviour = { kind: 'pass' };
    await eventually(async () => found(await map.lookUp('bob@example.com')).from === 'directory');
  });
}

test('a miss goes to the default back-end only where that is wanted, an outage never', async () => {
  const defaultRoute = { kind: 'node', node: 'be2' } as const;
  assert.equal((await mapping({ defaultRoute }).lookUp('nobody@example.com')).kind, 'unknown');
  const map = mapping({ defaultRoute, onMiss: 'default' });
  assert.deepEqual(found(await map.lookUp('Nobody+x@example.com')), { address: 'nobody@example.com', where: 'be2', from: 'default' });
  await proxy.refuse();
  await assert.rejects(map.lookUp('alice@example.com'), away);
});

test('an entry without a host goes to the default back-end; one with an unusable host goes nowhere', async () => {
  assert.equal(found(await mapping({ defaultRoute: { kind: 'node', node: 'be2' } }).lookUp('homeless@example.com')).where, 'be2');
  await assert.rejects(mapping().lookUp('homeless@example.com'), away);
  await assert.rejects(mapping({ defaultRoute: { kind: 'node', node: 'be2' } }).lookUp('lost@example.com'), away);
});

test('the cache is bounded', async () => {
  const map = mapping({ maxEntries: 2 });
  for (const name of ['x1', 'x2', 'bob', 'x3', 'x4']) await map.lookUp(name);
  const { questions } = map.counters;
  await map.lookUp('bob');
  assert.equal(map.counters.questions, questions + 1);
});
