/** Answers of a directory that isn't well: none of them refuses a user, and none makes the directory look down for long. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Connector } from '../../../shared/ldap/connector.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import type { TestCertificate } from '../../harness/certificates.ts';
import { LdapFaultProxy } from '../../harness/ldap-fault-proxy.ts';
import { directoryLdif, eventually, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';

const aliceDn = 'uid=alice,ou=people,dc=example,dc=com';
let slapd: Slapd;
let emptied: Slapd;
let proxy: LdapFaultProxy;
let certificate: TestCertificate;
let connector: Connector;

before(async () => {
  const { ldap } = await makeCertificates({ ldap: 'backend' });
  assert.ok(ldap !== undefined);
  certificate = ldap;
  [slapd, emptied] = await Promise.all([startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1' }]) }), startSlapd({ ldif: '' })]);
  proxy = await LdapFaultProxy.start(slapd.port, certificate);
});
beforeEach(() => {
  proxy.fault = { kind: 'none' };
  proxy.target = slapd.port;
  connector = createConnector({
    name: 'test', uris: [proxy.uri], ca: certificate.authority, searchBase: slapd.baseDn, scope: 'sub', timeoutMs: 3000, connections: 4, log: keepingLog().log,
  });
});
afterEach(() => { connector.close(); });
after(async () => {
  await proxy.refuse();
  await Promise.all([slapd.stop(), emptied.stop()]);
});

const away = (error: unknown): boolean => isFailure(error, 'directory-unavailable');
const find = async (): Promise<number> => (await connector.search({ kind: 'equal', attribute: 'mail', value: 'alice@example.com' }, ['mail'], { sizeLimit: 5 })).length;

test('a server that has lost its entries refuses nobody', async () => {
  assert.equal(await find(), 1);
  assert.equal(await connector.bind(aliceDn, peoplesPassword), 'ok');
  assert.equal(await connector.bind(aliceDn, 'wrong'), 'refused');
  proxy.target = emptied.port;
  proxy.cutAll();
  await assert.rejects(find(), away);
  // Long enough for the pause of the address to end, and for the server to be asked again.
  for (const endAt = performance.now() + 1500; performance.now() < endAt; await sleep(50)) await assert.rejects(connector.bind(aliceDn, peoplesPassword), away);
  proxy.target = slapd.port;
  proxy.cutAll();
  await eventually(async () => await find() === 1);
  assert.equal(await connector.bind(aliceDn, 'wrong'), 'refused');
});

test('a size limit that leaves no entry is an outage, not "no such entry"', async () => {
  assert.deepEqual((await connector.read(aliceDn, ['mail']))?.attributes.get('mail')?.map(String), ['alice@example.com']);
  proxy.fault = { kind: 'result', code: 4, of: 'searches' };
  await assert.rejects(connector.read(aliceDn, ['mail']), away);
});

test('many requests that fail at once are one failure: the pause is short', async () => {
  assert.equal(await find(), 1);
  proxy.fault = { kind: 'result', code: 51, of: 'searches' };
  const all = await Promise.allSettled(Array.from({ length: 60 }, find));
  assert.ok(all.every(({ status }) => status === 'rejected'));
  proxy.fault = { kind: 'none' };
  const beganAt = performance.now();
  await eventually(async () => await find() === 1);
  assert.ok(performance.now() - beganAt < 1500, `served again after ${String(Math.round(performance.now() - beganAt))} ms`);
});

test('what was not asked, and more than was asked, ends the wait at once', async () => {
  for (const fault of [{ kind: 'other message id' }, { kind: 'endless entries' }] as const) {
    proxy.fault = fault;
    const beganAt = performance.now();
    await assert.rejects(find(), away);
    assert.ok(performance.now() - beganAt < 2500, `${fault.kind}: waited for the time limit`);
    proxy.fault = { kind: 'none' };
    await eventually(async () => await find() === 1);
  }
});
