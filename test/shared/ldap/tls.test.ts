import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { startDirectory } from '../../../shared/directory/directory.ts';
import type { RunningDirectory } from '../../../shared/directory/directory.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { ConnectorOptions } from '../../../shared/ldap/connector.ts';
import { createAuthority, issueCertificate } from '../../../shared/tls/authority.ts';
import type { CertifiedKey } from '../../../shared/tls/authority.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';

let folder: string;
let authority: CertifiedKey;
let other: CertifiedKey;
let slapd: Slapd;
let embedded: RunningDirectory;
let proxy: TcpProxy;
const { log } = keepingLog();
const alice = 'uid=alice,ou=people,dc=example,dc=com';

before(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'ldap-tls-'));
  authority = await createAuthority({ commonName: 'Test CA' });
  other = await createAuthority({ commonName: 'Another CA' });
  const server = await issueCertificate(authority, { subject: { CN: 'localhost' }, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const [certFile, keyFile, caFile] = ['cert.pem', 'key.pem', 'ca.pem'].map((name) => path.join(folder, name)) as [string, string, string];
  await Promise.all([fs.writeFile(certFile, server.certificate), fs.writeFile(keyFile, server.key), fs.writeFile(caFile, authority.certificate)]);
  const ldif = directoryLdif([{ name: 'alice', mailHost: 'be1' }]);
  slapd = await startSlapd({ ldif, tls: { certFile, keyFile, caFile } });
  await fs.writeFile(path.join(folder, 'directory.ldif'), ldif);
  embedded = await startDirectory({
    host: '127.0.0.1', port: 0, tls: { port: 0, cert: server.certificate, key: server.key }, ...slapdBase, file: path.join(folder, 'directory.ldif'), log,
  });
  proxy = await TcpProxy.start(slapd.port);
});
after(async () => {
  await proxy.refuse();
  await embedded.close();
  await slapd.stop();
  await fs.rm(folder, { recursive: true, force: true });
});

async function check(uri: string, changes: Partial<ConnectorOptions>): Promise<string> {
  const connector = createConnector({ name: 'test', uris: [uri], searchBase: 'dc=example,dc=com', scope: 'sub', timeoutMs: 1_000, connections: 2, log, ...changes });
  try {
    const entries = await connector.search({ kind: 'equal', attribute: 'mail', value: 'alice@example.com' }, ['mail'], { sizeLimit: 1 });
    return `${String(entries.length)} ${await connector.bind(alice, peoplesPassword)} ${await connector.bind(alice, 'wrong')}`;
  } finally {
    connector.close();
  }
}
const away = (error: unknown): boolean => isFailure(error, 'directory-unavailable');
const atHost = (uri: string, host: string): string => uri.replace('127.0.0.1', host);

for (const host of ['127.0.0.1', 'localhost']) {
  test(`LDAPS and StartTLS work with a directory called ${host}, and the certificate must be of a trusted authority`, async () => {
    const secure = [slapd.secureUri ?? '', `ldaps://127.0.0.1:${String(embedded.tlsPort)}`];
    for (const uri of secure) {
      assert.equal(await check(atHost(uri, host), { ca: authority.certificate }), '1 ok refused', uri);
      await assert.rejects(check(atHost(uri, host), { ca: other.certificate }), away);
      await assert.rejects(check(atHost(uri, host), {}), away);
    }
    assert.equal(await check(atHost(slapd.uri, host), { ca: authority.certificate, startTls: 'yes' }), '1 ok refused');
    await assert.rejects(check(atHost(slapd.uri, host), { ca: other.certificate, startTls: 'yes' }), away);
  });
}

test('where StartTLS is wanted and not offered, nothing is sent in clear', async () => {
  await assert.rejects(check(`ldap://127.0.0.1:${String(embedded.port)}`, { ca: authority.certificate, startTls: 'yes' }), away);
});

test('a connection under StartTLS that is cut or hangs is replaced, and ends no process', async () => {
  const connector = createConnector({
    name: 'test', uris: [`ldap://127.0.0.1:${String(proxy.port)}`], searchBase: 'dc=example,dc=com', scope: 'sub', timeoutMs: 1_000, connections: 2, log,
    ca: authority.certificate, startTls: 'yes',
  });
  const find = async (): Promise<number> => (await connector.search({ kind: 'present', attribute: 'mail' }, ['mail'], { sizeLimit: 5 })).length;
  assert.equal(await find(), 1);
  for (let round = 0; round < 3; round += 1) {
    proxy.cutAll();
    assert.equal(await find(), 1);
  }
  proxy.cutAll();
  proxy.behaviour = { kind: 'cut', afterBytes: 200 }; // in the middle of the handshake
  await assert.rejects(find(), away);
  connector.close();
});

test('ldapsearch reads the embedded directory over LDAPS', async () => {
  const { output } = await runTool('ldapsearch', { uri: `ldaps://127.0.0.1:${String(embedded.tlsPort)}`, parameters: ['-LLL', '-b', 'dc=example,dc=com', '(uid=alice)', 'mail'] });
  assert.match(output, /mail: alice@example.com/);
});
