/** What our connections to servers agree on, at real TLS servers. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { clientContext, connectTo } from '../../../shared/net/connect.ts';
import { makeCertificates } from '../../harness/certificates.ts';

/** The key exchange of a connection to a server with these curves; Node's own choice when undefined. */
async function agreed(t: TestContext, curves: string | undefined): Promise<string | undefined> {
  const { server: pems } = await makeCertificates({ server: 'backend' });
  assert.ok(pems !== undefined);
  const server = tls.createServer({ cert: pems.certificate, key: pems.key, ...(curves === undefined ? {} : { ecdhCurve: curves }) }, (socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const socket = await connectTo({ host: '127.0.0.1', port, timeoutMs: 20_000, tls: { secureContext: clientContext(pems.authority), servername: 'localhost' } });
  t.after(() => socket.destroy());
  assert.ok(socket instanceof tls.TLSSocket);
  assert.ok(socket.authorized);
  const info = socket.getEphemeralKeyInfo();
  return info !== null && 'name' in info ? info.name : undefined;
}

test('a server that knows the hybrid with ML-KEM, as our own OpenSSL does, is asked for X25519, whose key is small', async (t) => {
  assert.equal(await agreed(t, undefined), 'X25519');
});

for (const curve of ['prime256v1', 'secp384r1']) {
  test(`a server that knows ${curve} alone is reached`, async (t) => {
    assert.equal(await agreed(t, curve), curve);
  });
}
