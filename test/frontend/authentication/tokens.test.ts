/** Tokens that must not be good, whatever they say of themselves: each is made for real and differs in one point from one that is. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Tokens } from '../../../frontend/authentication/tokens.ts';
import { keepingLog } from '../../harness/people.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tokens-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const shared = Buffer.from('0123456789abcdef0123456789abcdef');
const nowSeconds = 1_800_000_000;

function keys(file: string, list: readonly object[]): string {
  fs.writeFileSync(path.join(folder, file), JSON.stringify({ keys: list }));
  return path.join(folder, file);
}
const jwk = (key: KeyObject, more: object): object => ({ ...key.export({ format: 'jwk' }), ...more });

const tokens = new Tokens({
  log: keepingLog().log,
  wallClock: () => nowSeconds * 1000,
  issuers: [
    {
      issuer: 'https://one', audience: 'mail', addressClaim: 'email', requiredScope: 'mail',
      keysFile: keys('one', [
        jwk(rsa.publicKey, { kid: 'r' }), jwk(ec.publicKey, { kid: 'e' }), jwk(ed.publicKey, { kid: 'd' }), jwk(weak.publicKey, { kid: 'w' }),
        { kty: 'oct', kid: 'o', k: shared.toString('base64url') }, jwk(generateKeyPairSync('ed25519').publicKey, { kid: 'x', use: 'enc' }),
      ]),
    },
    { issuer: 'https://two', audience: 'mail', addressClaim: 'email', keysFile: keys('two', [jwk(generateKeyPairSync('ed25519').publicKey, { kid: 'd' })]) },
  ],
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
type Signer = (text: Buffer) => Buffer;
const bySigner = (key: KeyObject): Signer => (text) => sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', text, { key, dsaEncoding: 'ieee-p1363' });
const byHmac = (key: Buffer | string): Signer => (text) => createHmac('sha256', key).update(text).digest();

interface Changes { readonly header?: object; readonly claims?: object; readonly by?: Signer }

function token({ header = {}, claims = {}, by = bySigner(ed.privateKey) }: Changes = {}): string {
  const text = `${encode({ alg: 'EdDSA', kid: 'd', typ: 'JWT', ...header })}.${encode({ iss: 'https://one', aud: 'mail', exp: nowSeconds + 60, scope: 'openid mail', email: 'alice@example.com', ...claims })}`;
  return `${text}.${by(Buffer.from(text)).toString('base64url')}`;
}

test('tokens by each kind of key are good, with kid and without', async () => {
  const good: readonly Changes[] = [
    {}, { header: { kid: undefined } }, { header: { alg: 'RS256', kid: 'r' }, by: bySigner(rsa.privateKey) }, { header: { alg: 'ES256', kid: 'e' }, by: bySigner(ec.privateKey) },
    { claims: { aud: ['web', 'mail'] } }, { claims: { scope: undefined, scp: ['mail'] } }, { claims: { exp: nowSeconds - 30 } }, { claims: { nbf: nowSeconds + 30 } }, { claims: { email_verified: true } },
  ];
  for (const changes of good) assert.deepEqual(await tokens.check(token(changes)), { kind: 'good', address: 'alice@example.com' }, JSON.stringify(changes));
});

const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const bad: Readonly<Record<string, Changes>> = {
  'algorithm none': { header: { alg: 'none' }, by: () => Buffer.alloc(0) },
  'algorithm none, signed all the same': { header: { alg: 'none' } },
  'algorithm None': { header: { alg: 'None' }, by: () => Buffer.alloc(0) },
  'no signature': { by: () => Buffer.alloc(0) },
  'HS256 by the public key as a secret': { header: { alg: 'HS256', kid: 'r' }, by: byHmac(publicPem) },
  'RS256 said of a HMAC by the public key': { header: { alg: 'RS256', kid: 'r' }, by: byHmac(publicPem) },
  'HS256 by a symmetric key of the set': { header: { alg: 'HS256', kid: 'o' }, by: byHmac(shared) },
  'ES256 said of the RSA key': { header: { alg: 'ES256', kid: 'r' }, by: bySigner(rsa.privateKey) },
  'an RSA key too short': { header: { alg: 'RS256', kid: 'w' }, by: bySigner(weak.privateKey) },
  'another key\'s kid': { header: { kid: 'e' } },
  'a kid that nobody has': { header: { kid: 'q' } },
  'a key brought along': { header: { jwk: ed.publicKey.export({ format: 'jwk' }), kid: undefined }, by: bySigner(generateKeyPairSync('ed25519').privateKey) },
  'the other issuer\'s name': { claims: { iss: 'https://two' } },
  'an unknown issuer': { claims: { iss: 'https://one/' } },
  expired: { claims: { exp: nowSeconds - 61 } },
  'without end': { claims: { exp: undefined } },
  'an end that is no number': { claims: { exp: '1900000000' } },
  'not valid yet': { claims: { nbf: nowSeconds + 61 } },
  'another audience': { claims: { aud: 'web' } },
  'without audience': { claims: { aud: undefined } },
  'without the scope': { claims: { scope: 'mailbox openid' } },
  'an address not verified': { claims: { email_verified: false } },
  'an address not verified, as a text': { claims: { email_verified: 'false' } },
  'no address': { claims: { email: undefined } },
  'an address that is a list': { claims: { email: ['alice@example.com'] } },
  'a critical header': { header: { crit: ['exp'] } },
  'a token for something else': { header: { typ: 'logout+jwt' } },
};
for (const [what, changes] of Object.entries(bad)) {
  test(`a token is refused: ${what}`, async () => {
    assert.equal((await tokens.check(token(changes))).kind, 'refused');
  });
}

test('what is no token is refused', async () => {
  const [header = '', claims = '', signature = ''] = token().split('.');
  for (const text of ['', '..', 'a.b.c', `${header}.${claims}`, `${header}.${claims}.${signature}.`, `${header}..${signature}`, `${claims}.${header}.${signature}`]) {
    assert.equal((await tokens.check(text)).kind, 'refused', text);
  }
});

test('whatever strangers send as a token is refused, and is no fault here', async () => {
  const good = token();
  const part = fc.oneof(fc.constantFrom('e30', 'bnVsbA', 'W10', 'IiI', ...good.split('.')), fc.json().map((text) => Buffer.from(text).toString('base64url')), fc.string());
  const spoilt = fc.tuple(fc.nat(good.length - 1), fc.string({ maxLength: 3 }), fc.nat(3)).map(([at, text, cut]) => good.slice(0, at) + text + good.slice(at + cut));
  const texts = fc.oneof(fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')), spoilt, fc.string());
  await fc.assert(fc.asyncProperty(texts, async (text) => {
    const verdict = await tokens.check(text);
    assert.ok(verdict.kind === 'refused' || isSameToken(text, good), text);
  }), { numRuns: 2000 });
});

/** Base64 has letters whose last bits count for nothing. */
function isSameToken(text: string, other: string): boolean {
  const bytesOf = (all: string): string => all.split('.').map((one) => Buffer.from(one, 'base64url').toString('hex')).join('.');
  return text.slice(0, text.lastIndexOf('.')) === other.slice(0, other.lastIndexOf('.')) && bytesOf(text) === bytesOf(other);
}
