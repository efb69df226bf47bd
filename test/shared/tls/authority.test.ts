/** The cluster's authority, judged by node:tls itself and not by node-forge. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { createAuthority, isCurrent, issueCertificate } from '../../../shared/tls/authority.ts';
import type { CertifiedKey } from '../../../shared/tls/authority.ts';
import { nodeIdentity } from '../../../shared/tls/identity.ts';

const [authority, stranger] = await Promise.all([createAuthority({ commonName: 'Test authority', organisation: 'test' }), createAuthority({ commonName: 'Test authority', organisation: 'test' })]);
const server = await issueCertificate(authority, { subject: { CN: 'localhost' }, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'], usages: ['server'] });
const nodeRequest = { subject: { O: 'Größe 1', OU: 'frontend', CN: 'fe1' }, dnsNames: ['fe1'], ipAddresses: [], usages: ['server', 'client'] as const };
const [node, forged] = await Promise.all([issueCertificate(authority, nodeRequest), issueCertificate(stranger, nodeRequest)]);

/** What the server learns of a client that shows this certificate; rejects when the handshake fails. */
async function shakeHands(client: CertifiedKey | undefined, servername: string): Promise<{ authorised: boolean; identity: ReturnType<typeof nodeIdentity> }> {
  const listener = tls.createServer({ cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true, rejectUnauthorized: false });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const met = once(listener, 'secureConnection') as Promise<[tls.TLSSocket]>;
  met.catch(() => undefined);
  const socket = tls.connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1', servername, ca: authority.certificate, ...(client && { cert: client.certificate, key: client.key }) });
  try {
    await once(socket, 'secureConnect');
    const [accepted] = await met;
    return { authorised: accepted.authorized, identity: nodeIdentity(accepted) };
  } finally {
    socket.destroy();
    listener.close();
  }
}

test('a certificate of the authority serves its names and addresses, and no other', async () => {
  assert.equal((await shakeHands(undefined, 'localhost')).authorised, false);
  await assert.rejects(shakeHands(undefined, 'example.org'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  assert.equal(new X509Certificate(server.certificate).checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(new X509Certificate(server.certificate).checkIP('127.0.0.2'), undefined);
});

test('a node is known by organisation, unit and common name, also beyond ASCII', async () => {
  assert.deepEqual((await shakeHands(node, 'localhost')).identity, { cluster: 'Größe 1', role: 'frontend', node: 'fe1' });
});

test('a certificate of another authority of the same name is nobody', async () => {
  assert.deepEqual(await shakeHands(forged, 'localhost'), { authorised: false, identity: undefined });
  assert.equal(isCurrent(authority, node.certificate, 1), true);
  assert.equal(isCurrent(authority, forged.certificate, 1), false);
});

test('a certificate about to end is not current', async () => {
  const short = await issueCertificate(authority, { subject: { CN: 'short' }, dnsNames: [], ipAddresses: ['127.0.0.1'], usages: ['server'], validDays: 10 });
  assert.equal(isCurrent(authority, short.certificate, 9), true);
  assert.equal(isCurrent(authority, short.certificate, 11), false);
});

test('a leaf can not issue: the authority alone is marked as one', () => {
  assert.equal(new X509Certificate(authority.certificate).ca, true);
  assert.equal(new X509Certificate(node.certificate).ca, false);
});

test('serial numbers differ, and a wrong IP address is refused', async () => {
  assert.notEqual(new X509Certificate(node.certificate).serialNumber, new X509Certificate(server.certificate).serialNumber);
  await assert.rejects(issueCertificate(authority, { subject: { CN: 'x' }, dnsNames: [], ipAddresses: ['localhost'], usages: ['server'] }), /not an IP address/);
});
