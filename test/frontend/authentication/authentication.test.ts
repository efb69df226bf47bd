import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { createAuthentication } from '../../../frontend/authentication/authentication.ts';
import type { Authentication, AuthenticationOptions } from '../../../frontend/authentication/authentication.ts';
import type { GuessDelayOptions } from '../../../shared/access/guess-delays.ts';
import { createMapping } from '../../../frontend/mapping/mapping.ts';
import { Failure, isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Connector } from '../../../shared/ldap/connector.ts';
import { createUserMaps, standardAttributeNames } from '../../../shared/user-map/user-maps.ts';
import { patientGuesses } from '../../harness/guesses.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';

let slapd: Slapd;
let proxy: TcpProxy;
let connector: Connector;
let clock = 0;
let slept: number[] = [];
const { log, lines } = keepingLog();
const refused = (error: unknown): boolean => isFailure(error, 'bad-credentials');
const away = (error: unknown): boolean => isFailure(error, 'directory-unavailable');

before(async () => {
  slapd = await startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1', aliases: ['al@example.com'] }, { name: 'bob', mailHost: 'be2' }]) });
  proxy = await TcpProxy.start(slapd.port);
});
beforeEach(async () => {
  proxy.behaviour = { kind: 'pass' };
  await proxy.accept();
  clock = 0;
  slept = [];
  connector = createConnector({
    name: 'test', uris: [`ldap://127.0.0.1:${String(proxy.port)}`], searchBase: slapdBase.baseDn, scope: 'sub', timeoutMs: 400, connections: 2, log,
  });
});
afterEach(() => { connector.close(); });
after(async () => {
  await proxy.refuse();
  await slapd.stop();
});

function authentication({ guesses, ...changes }: Partial<Omit<AuthenticationOptions, 'guesses'>> & { readonly guesses?: Partial<GuessDelayOptions> } = {}): Authentication {
  const maps = createUserMaps({
    log,
    maps: [{ kind: 'ldapBind', name: 'main', connector, searchPattern: '(|(mail=%e)(mailLocalAddress=%e))', attributes: standardAttributeNames, onSeveral: 'refuse' }],
  });
  const mapping = createMapping({
    maps, log, primaryDomain: 'example.com', localDomains: [], onMiss: 'refuse', maxEntries: 100, resolveHost: (node) => ({ kind: 'node', node }),
    ages: { positiveMs: 60_000, negativeMs: 5_000, staleMs: 10_000 }, now: () => clock,
  });
  return createAuthentication({
    maps, mapping, log, scram: { saltKey: Buffer.from('salts of tests'), iterations: 4096, primaryDomain: 'example.com' }, issuers: [], certificateAddresses: [], verifier: { maxAgeMs: 5_000, maxEntries: 100 }, 
    guesses: patientGuesses({ free: 2, firstMs: 250, longestMs: 4_000, longestWaitMs: 1_500, ...guesses }), ipv6Prefix: 64,
    refusalMs: 0, trustedNetworks: ['10.0.0.0/8'], now: () => clock, sleep: async (ms) => { slept.push(ms); await Promise.resolve(); }, ...changes,
  });
}

const logIn = async (at: Authentication, ...[name, password, address = '192.0.2.1']: [name: string, password: string, address?: string]): Promise<string> => {
  const attempt = { identity: { kind: 'password', name, password }, client: { address }, passwordsAt: 'proxy' } as const;
  return at.logIn(attempt, async ({ address: account, route }) => Promise.resolve(`${account} at ${route.kind === 'node' ? route.node : route.host}`));
};

test('addresses, bare names and aliases log in with the right password', async () => {
  const at = authentication();
  for (const name of ['alice@example.com', 'Alice', 'AL@example.com']) assert.equal(await logIn(at, name, peoplesPassword), 'alice@example.com at be1');
});

test('wrong passwords, unknown users, empty and absurd input are refused with the same words', async () => {
  const at = authentication();
  for (const [name, password] of [
    ['alice', 'wrong'], ['nobody', 'wrong'], ['alice@elsewhere.net', peoplesPassword], ['alice', ''], ['', peoplesPassword], ['*', peoplesPassword],
    ['alice*', peoplesPassword], ['alice\0', peoplesPassword], ['alice', `${peoplesPassword}\0`], ['x'.repeat(1_000), 'x'], ['alice', 'x'.repeat(5_000)],
    ['alice@example.com)(objectClass=*', peoplesPassword], ['uid=alice,ou=people,dc=example,dc=com', peoplesPassword],
  ] as const) {
    await assert.rejects(logIn(at, name, password), (error) => refused(error) && error instanceof Failure && error.message === 'Wrong user name or password.', `${name} ${password}`);
  }
});

test('a refusal takes the same time for an unknown user as for a wrong password', async () => {
  const at = authentication({ refusalMs: 150, now: undefined, sleep: undefined });
  for (const name of ['alice', 'nobody', '']) {
    const took = async (): Promise<number> => {
      const startedAt = performance.now();
      await assert.rejects(logIn(at, name, 'wrong'), refused);
      return performance.now() - startedAt;
    };
    // The quickest of three: a busy machine makes one late now and then.
    const quickest = Math.min(await took(), await took(), await took());
    assert.ok(quickest > 145 && quickest < 260, `${name}: ${String(quickest)} ms`);
  }
});

test('every login is checked at the directory: a changed password and a changed host hold at once', async () => {
  const at = authentication();
  await logIn(at, 'bob', peoplesPassword);
  const admin = [slapd.adminDn, slapd.adminPassword] as const;
  const bob = 'uid=bob,ou=people,dc=example,dc=com';
  assert.equal((await runTool('ldappasswd', { uri: slapd.uri, as: admin, parameters: ['-s', 'changed', bob] })).code, 0);
  assert.equal((await runTool('ldapmodify', { uri: slapd.uri, as: admin, input: `dn: ${bob}\nchangetype: modify\nreplace: mailHost\nmailHost: be1\n` })).code, 0);
  await assert.rejects(logIn(at, 'bob', peoplesPassword), refused);
  assert.equal(await logIn(at, 'bob', 'changed'), 'bob@example.com at be1');
  assert.equal((await runTool('ldappasswd', { uri: slapd.uri, as: admin, parameters: ['-s', peoplesPassword, bob] })).code, 0);
});

for (const behaviour of [{ kind: 'refuse' }, { kind: 'hang' }, { kind: 'nonsense', bytes: Buffer.from('* OK IMAP4rev1\r\n') }] as const) {
  test(`a directory that is away (${behaviour.kind}): the last login's password serves for a bounded time, others are told to come back`, async () => {
    const at = authentication();
    await logIn(at, 'al@example.com', peoplesPassword);
    await logIn(at, 'alice', peoplesPassword);
    if (behaviour.kind === 'refuse') await proxy.refuse();
    proxy.cutAll();
    proxy.behaviour = behaviour;
    clock = 4_999;
    assert.equal(await logIn(at, 'alice', peoplesPassword), 'alice@example.com at be1');
    assert.equal(await logIn(at, 'al@example.com', peoplesPassword), 'alice@example.com at be1');
    await assert.rejects(logIn(at, 'alice', 'wrong'), away);
    await assert.rejects(logIn(at, 'bob', peoplesPassword), away);
    await assert.rejects(logIn(at, 'nobody', 'x'), away);
    clock = 5_000;
    await assert.rejects(logIn(at, 'alice', peoplesPassword), away);
  });
}

test('with a verifier age of nothing, no login succeeds while the directory is away', async () => {
  const at = authentication({ verifier: { maxAgeMs: 0, maxEntries: 10 } });
  await logIn(at, 'alice', peoplesPassword);
  await proxy.refuse();
  await assert.rejects(logIn(at, 'alice', peoplesPassword), away);
});

test('a password that the directory has refused since doesn\'t serve later', async () => {
  const at = authentication();
  await logIn(at, 'bob', peoplesPassword);
  const bob = 'uid=bob,ou=people,dc=example,dc=com';
  const admin = [slapd.adminDn, slapd.adminPassword] as const;
  await runTool('ldappasswd', { uri: slapd.uri, as: admin, parameters: ['-s', 'changed', bob] });
  await assert.rejects(logIn(at, 'bob', peoplesPassword), refused);
  await proxy.refuse();
  await assert.rejects(logIn(at, 'bob', peoplesPassword), away);
  await proxy.accept();
  await runTool('ldappasswd', { uri: slapd.uri, as: admin, parameters: ['-s', peoplesPassword, bob] });
});

test('different wrong passwords make a network and an account wait longer and longer, within bounds', async () => {
  const at = authentication();
  for (let count = 0; count < 9; count += 1) await assert.rejects(logIn(at, 'alice', `guess ${String(count)}`), refused);
  const waits = slept.filter((ms) => ms > 0);
  assert.deepEqual(waits.filter((_, index) => index % 2 === 0).slice(0, 4), [250, 500, 1_000, 2_000], 'after the answers');
  assert.equal(Math.max(...waits), 4_000);
});

test('a program that repeats one wrong password waits no longer than at first', async () => {
  const at = authentication();
  for (let count = 0; count < 20; count += 1) await assert.rejects(logIn(at, 'alice', 'the old one'), refused);
  assert.deepEqual(slept.filter((ms) => ms > 0), []);
});

test('the owner of an account under attack logs in from elsewhere without waiting', async () => {
  const at = authentication();
  for (let count = 0; count < 9; count += 1) await assert.rejects(logIn(at, 'alice', `guess ${String(count)}`, `198.51.100.${String(count)}`), refused);
  slept = [];
  assert.equal(await logIn(at, 'alice', peoplesPassword, '192.0.2.200'), 'alice@example.com at be1');
  assert.deepEqual(slept, []);
});

test('guessing under aliases counts for one account, and an IPv6 /64 is one client', async () => {
  const at = authentication();
  const names = ['alice', 'al@example.com', 'alice+1@example.com', 'alice+2@example.com', 'ALICE'];
  for (const [index, name] of names.entries()) await assert.rejects(logIn(at, name, `guess ${String(index)}`, `203.0.113.${String(index)}`), refused);
  assert.ok(Math.max(...slept) >= 1_000);
  slept = [];
  for (let count = 0; count < 5; count += 1) await assert.rejects(logIn(at, `nobody${String(count)}`, 'x', `2001:db8::${String(count)}`), refused);
  assert.ok(Math.max(...slept) >= 250);
});

test('guesses made all at once don\'t get round the delay', async () => {
  const at = authentication();
  for (let count = 0; count < 3; count += 1) await assert.rejects(logIn(at, `user${String(count)}`, 'x'), refused);
  slept = [];
  await Promise.allSettled(Array.from({ length: 10 }, async (_, index) => await logIn(at, `other${String(index)}`, 'x')));
  assert.equal(Math.max(...slept), 4_000);
});

test('trusted networks never wait', async () => {
  const at = authentication();
  for (let count = 0; count < 12; count += 1) await assert.rejects(logIn(at, 'alice', `guess ${String(count)}`, '10.1.2.3'), refused);
  assert.deepEqual(slept.filter((ms) => ms > 0), []);
});

test('no password is ever logged', async () => {
  await sleepMs(0);
  assert.ok(lines.length > 0);
  assert.doesNotMatch(JSON.stringify(lines), new RegExp(`${peoplesPassword}|guess \\d|the old one`));
});
