/** That the time of a refusal doesn't tell who exists, where hashes are slow: passwords fetched from a real slapd and compared. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthentication } from '../../../frontend/authentication/authentication.ts';
import { RefusalPace } from '../../../shared/access/refusal-pace.ts';
import { createMapping } from '../../../frontend/mapping/mapping.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import { createUserMaps, standardAttributeNames } from '../../../shared/user-map/user-maps.ts';
import { patientGuesses } from '../../harness/guesses.ts';
import { directoryLdif, keepingLog } from '../../harness/people.ts';
import { startSlapd } from '../../harness/slapd.ts';

test('names that nobody has are refused as late as those whose passwords are kept in a slow hash', async (t) => {
  const { log } = keepingLog();
  // `right`, at a cost of some hundred milliseconds.
  const slow = '{CRYPT}$2y$12$6A7Qp8U8dG0nVb1Yk1m8aO5j5yqkq4mC1h6Yw1wq1m0m3b8rJ1n2K';
  const slapd = await startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1' }]).replace(/userPassword: .*/, `userPassword: ${slow}`) });
  t.after(async () => slapd.stop());
  const connector = createConnector({ name: 'test', uris: [slapd.uri], bindDn: slapd.adminDn, bindPassword: slapd.adminPassword, searchBase: slapd.baseDn, scope: 'sub', timeoutMs: 5000, connections: 2, log });
  t.after(() => connector.close());
  const maps = createUserMaps({ log, maps: [{ kind: 'ldapPassword', name: 'main', connector, searchPattern: '(mail=%e)', attributes: standardAttributeNames, onSeveral: 'refuse' }] });
  const mapping = createMapping({
    maps, log, primaryDomain: 'example.com', localDomains: [], onMiss: 'refuse', maxEntries: 100, resolveHost: (node) => ({ kind: 'node', node }), ages: { positiveMs: 0, negativeMs: 0, staleMs: 0 },
  });
  const at = createAuthentication({
    maps, mapping, log, scram: { saltKey: Buffer.from('salts of tests'), iterations: 4096, primaryDomain: 'example.com' }, issuers: [], certificateAddresses: [],
    verifier: { maxAgeMs: 0, maxEntries: 10 }, guesses: patientGuesses({ free: 1000 }), refusalMs: 1, trustedNetworks: [], ipv6Prefix: 64,
  });
  const refusalMs = async (name: string): Promise<number> => {
    const began = performance.now();
    await assert.rejects(at.logIn({ identity: { kind: 'password', name, password: 'wrong' }, client: { address: '192.0.2.1' }, passwordsAt: 'proxy' }, async () => Promise.resolve('in')), (error) => isFailure(error, 'bad-credentials'));
    return performance.now() - began;
  };
  await refusalMs('alice');
  const [known, unknown] = [await refusalMs('alice'), await refusalMs('nobody')];
  assert.ok(known > 50, `the hash is slow: ${String(known)} ms`);
  assert.ok(unknown > known * 0.6, `${String(known)} ms for alice, ${String(unknown)} ms for nobody`);
});

test('refusals wait for the slowest check lately, within bounds, and one slow answer is forgotten', () => {
  const pace = new RefusalPace(200);
  assert.equal(pace.leastMs, 200);
  pace.took(700);
  pace.took(20);
  assert.ok(pace.leastMs > 600 && pace.leastMs <= 700);
  pace.took(60_000);
  assert.equal(pace.leastMs, 2000);
  for (let count = 0; count < 30; count += 1) pace.took(20);
  assert.equal(pace.leastMs, 200);
});
