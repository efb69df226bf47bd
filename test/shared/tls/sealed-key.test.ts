/** The authority's key at rest, tokens as text, and requests for certificates. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { readJoinToken, writeJoinToken } from '../../../shared/tls/join-token.ts';
import type { JoinToken } from '../../../shared/tls/join-token.ts';
import { openSealedKey, sealKey } from '../../../shared/tls/sealed-key.ts';
import { createSigningRequest, readSigningRequest } from '../../../shared/tls/signing-request.ts';
import { run } from '../../harness/programs.ts';

/** A request for be9 that openssl makes with this key. */
async function opensslRequest(key: string): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-request-'));
  try {
    fs.writeFileSync(path.join(folder, 'key'), key, { mode: 0o600 });
    const { output } = await run('openssl', ['req', '-new', '-key', path.join(folder, 'key'), '-subj', '/O=x/OU=backend/CN=be9']);
    assert.match(output, /^-----BEGIN CERTIFICATE REQUEST-----/);
    return output;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test('a sealed key opens with its passphrase only, and not when a byte is another', async () => {
  const sealed = await sealKey('the key', 'passphrase');
  assert.equal(await openSealedKey(sealed, 'passphrase'), 'the key');
  await assert.rejects(openSealedKey(sealed, 'Passphrase'), { kind: 'bad-credentials' });
  const parts = JSON.parse(sealed) as { readonly sealed: string };
  const [first, ...rest] = Buffer.from(parts.sealed, 'base64');
  await assert.rejects(openSealedKey(JSON.stringify({ ...parts, sealed: Buffer.from([(first ?? 0) ^ 1, ...rest]).toString('base64') }), 'passphrase'), { kind: 'bad-credentials' });
  await assert.rejects(openSealedKey('-----BEGIN PRIVATE KEY-----', 'passphrase'), { kind: 'bad-input' });
});

test('a token is read as it was written, and not in part', () => {
  const token: JoinToken = { cluster: 'Größe 1', node: 'fe3', role: 'frontend', authority: 'ab'.repeat(32), id: '0123456789abcdef', secret: 'x'.repeat(43) };
  assert.deepEqual(readJoinToken(writeJoinToken(token)), token);
  for (const bad of ['', writeJoinToken(token).slice(0, -4), writeJoinToken(token).slice(1), `waybill-join.${'A'.repeat(5000)}`]) assert.throws(() => readJoinToken(bad), { kind: 'bad-input' }, bad);
});

test('a request says who asks and for which key; openssl takes it, and what openssl makes is taken', async () => {
  const { key, request } = await createSigningRequest({ O: 'Größe 1', OU: 'frontend', CN: 'fe3' });
  const read = readSigningRequest(request);
  assert.deepEqual(read.subject, { O: 'Größe 1', OU: 'frontend', CN: 'fe3' });
  const same = (pem: string): string => createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
  assert.equal(same(read.publicKey), same(key));
  assert.equal((await run('openssl', ['req', '-verify', '-noout'], request)).code, 0);
  assert.equal(readSigningRequest(await opensslRequest(key)).subject.CN, 'be9');
});

test('what is no request, has a wrong signature, or a weak or other key is refused', async () => {
  const { request } = await createSigningRequest({ CN: 'fe3' });
  const body = Buffer.from(request.replace(/-----[^-]+-----|\n/g, ''), 'base64');
  body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${body.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const text = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const weak = text(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
  const curve = text(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  for (const bad of ['', 'x', forged, await opensslRequest(weak), await opensslRequest(curve), `${request}${'x'.repeat(9000)}`]) assert.throws(() => readSigningRequest(bad), { kind: 'bad-input' }, bad.slice(0, 200));
});
