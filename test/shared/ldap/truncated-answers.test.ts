/** An entry of which bytes are missing, wherever they are cut off: an outage, never half an entry (which could name another host). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Entry } from '../../../shared/ldap/connector.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import type { TestCertificate } from '../../harness/certificates.ts';
import { LdapFaultProxy } from '../../harness/ldap-fault-proxy.ts';
import { directoryLdif, keepingLog } from '../../harness/people.ts';
import { startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';

let slapd: Slapd;
let proxy: LdapFaultProxy;
let certificate: TestCertificate;

before(async () => {
  const made = await makeCertificates({ ldap: 'backend' });
  assert.ok(made['ldap'] !== undefined);
  certificate = made['ldap'];
  slapd = await startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1.example.com', aliases: ['al@example.com'] }]) });
  proxy = await LdapFaultProxy.start(slapd.port, certificate);
});
after(async () => {
  await proxy.refuse();
  await slapd.stop();
});

async function find(): Promise<readonly Entry[]> {
  const connector = createConnector({
    name: 'test', uris: [proxy.uri], ca: certificate.authority, searchBase: slapd.baseDn, scope: 'sub', timeoutMs: 500, connections: 1, log: keepingLog().log,
  });
  try {
    return await connector.search({ kind: 'equal', attribute: 'mail', value: 'alice@example.com' }, ['mail', 'mailLocalAddress', 'mailHost'], { sizeLimit: 5 });
  } finally {
    connector.close();
  }
}

test('no entry with missing bytes is taken for an entry', async () => {
  const [whole] = await find();
  assert.deepEqual(whole?.attributes.get('mailhost')?.map(String), ['be1.example.com']);
  const bytes = 150; // more than its content has
  for (let missingBytes = 1; missingBytes <= bytes; missingBytes += 1) {
    proxy.fault = { kind: 'truncated entry', missingBytes };
    await assert.rejects(find(), (error) => isFailure(error, 'directory-unavailable'), `${String(missingBytes)} bytes are missing`);
  }
});
