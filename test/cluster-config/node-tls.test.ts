/** What `toNode` demands of the other side, on real TLS connections: a certificate of our authority that names the very node. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { configOfNode, parseConfig } from '../../cluster-config/load.ts';
import { loadNodeTls } from '../../cluster-config/node-tls.ts';
import type { NodeTls } from '../../cluster-config/node-tls.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { createLog } from '../../shared/log/log.ts';
import { connectTo } from '../../shared/net/connect.ts';
import { listen } from '../../shared/net/listener.ts';
import { createServerTls } from '../../shared/net/server-tls.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import { makeCertificates } from '../harness/certificates.ts';
import type { TestCertificate } from '../harness/certificates.ts';

const own = await makeCertificates({ fe1: 'frontend', be1: 'backend', be2: 'backend' });
const others = await makeCertificates({ be1: 'backend' });

/** fe1 of the cluster "test", whose certificates lie in a folder. */
async function frontEnd(t: TestContext): Promise<NodeTls> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-node-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { certificate = '', key = '', authority = '' } = own['fe1'] ?? {};
  for (const [name, text] of Object.entries({ certificate, key, authority })) writeFileSync(join(folder, name), text);
  const yaml = `
schema: 1
cluster:
  name: test
  primaryDomain: example.com
  tls: { certificate: certificate, key: key, clusterAuthority: authority, nodeCertificate: certificate, nodeKey: key }
nodes:
  fe1: { role: frontend, host: 127.0.0.1 }
  be1: { role: backend, host: 127.0.0.1, storage: { directories: [be1] } }
  be2: { role: backend, host: 127.0.0.1, storage: { directories: [be2] } }
`;
  const file = join(folder, 'waybill.yaml');
  return loadNodeTls(configOfNode(parseConfig(yaml, file), 'fe1', file));
}

/** A back-end with that certificate; answers its port and whom it saw. */
async function backEnd(t: TestContext, pems: TestCertificate | undefined): Promise<{ readonly port: number; readonly seen: (string | undefined)[] }> {
  assert.ok(pems);
  const seen: (string | undefined)[] = [];
  const listener = await listen(
    {
      host: '127.0.0.1', port: 0, tls: 'implicit', requestCertificate: 'yes', protocol: 'imap', log: createLog({ node: 'test', level: 'silent' }),
      serverTls: createServerTls({ ...pems, authority: own['fe1']?.authority }),
    },
    (socket) => {
      seen.push(nodeIdentity(socket)?.node);
      socket.on('error', () => undefined);
      socket.end('seen');
    },
  );
  t.after(async () => listener.close());
  return { port: listener.port, seen };
}

test('the node that was meant is taken, and sees who we are, also when the session is resumed', async (t) => {
  const tls = await frontEnd(t);
  const { port, seen } = await backEnd(t, own['be1']);
  for (let turn = 0; turn < 2; turn += 1) {
    const socket = await connectTo({ host: '127.0.0.1', port, timeoutMs: 5000, tls: tls.toNode('be1') });
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  assert.deepEqual(seen, ['fe1', 'fe1']);
});

test('another node of the cluster, and a node of the same name by another authority, are refused', async (t) => {
  const tls = await frontEnd(t);
  for (const pems of [own['be2'], others['be1'], own['fe1']]) {
    const { port } = await backEnd(t, pems);
    await assert.rejects(connectTo({ host: '127.0.0.1', port, timeoutMs: 5000, tls: tls.toNode('be1') }), (error) => isFailure(error, 'backend-unavailable'));
  }
});
