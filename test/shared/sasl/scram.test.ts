import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../../shared/base/failure.ts';
import { bearerRefusal, readBearer } from '../../../shared/sasl/bearer.ts';
import { deriveScramKeys, isPasswordOf, parseScramKeys } from '../../../shared/sasl/scram-keys.ts';
import type { ScramKeys, ScramMechanism } from '../../../shared/sasl/scram-keys.ts';
import { ScramServer } from '../../../shared/sasl/scram.ts';
import { clientFinal } from '../../harness/scram-client.ts';

const noBindings = new Map<string, Buffer>();
const someBindings = new Map([['tls-exporter', Buffer.from('the channel')]]);
const badInput = (error: unknown): boolean => isFailure(error, 'bad-input');

const vectors = [
  {
    title: 'RFC 5802 section 5', mechanism: 'SCRAM-SHA-1', salt: 'QSXCR+Q6sek8bf92', clientNonce: 'fyko+d2lbbFgONRv9qkxdawL', serverNonce: '3rfcNHYJY1ZVvWVs7j',
    proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=', signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    title: 'RFC 7677 section 3', mechanism: 'SCRAM-SHA-256', salt: 'W22ZaJ0SNY7soEsUEjb6gQ==', clientNonce: 'rOprNGfwEbeRWgbNEkqO', serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
] as const;

for (const { title, mechanism, salt, clientNonce, serverNonce, proof, signature } of vectors) {
  test(`the exchange of ${title} goes word by word`, async () => {
    const keys = await deriveScramKeys(mechanism, 'pencil', { salt: Buffer.from(salt, 'base64'), iterations: 4096 });
    const server = new ScramServer({ mechanism, plus: 'no', bindings: noBindings, nonce: serverNonce });
    assert.deepEqual(server.first(Buffer.from(`n,,n=user,r=${clientNonce}`)), { user: 'user', authorisationId: undefined });
    assert.equal(server.challenge(keys).toString(), `r=${clientNonce}${serverNonce},s=${salt},i=4096`);
    assert.equal(server.finish(Buffer.from(`c=biws,r=${clientNonce}${serverNonce},p=${proof}`))?.toString(), `v=${signature}`);
  });
}

const bare = 'n=user,r=abcdef';
const keysOf = async (mechanism: ScramMechanism): Promise<ScramKeys> => deriveScramKeys(mechanism, 'pencil', { salt: Buffer.from('saltsaltsaltsalt'), iterations: 2 });

async function play(how: { header?: string; binding?: Buffer; password?: string; plus?: 'yes' | 'no'; nonce?: (nonce: string) => string }): Promise<'in' | 'refused'> {
  const mechanism = 'SCRAM-SHA-256';
  const { header = 'n,,', password = 'pencil', plus = 'no' } = how;
  const server = new ScramServer({ mechanism, plus, bindings: someBindings });
  server.first(Buffer.from(`${header}${bare}`));
  const serverFirst = server.challenge(await keysOf(mechanism)).toString();
  const nonce = /^r=([^,]+)/.exec(serverFirst)?.[1] ?? '';
  const binding = Buffer.concat([Buffer.from(header), how.binding ?? Buffer.alloc(0)]);
  const last = clientFinal({ mechanism, password, bare, serverFirst, binding, ...(how.nonce === undefined ? {} : { nonce: how.nonce(nonce) }) });
  return server.finish(last) === undefined ? 'refused' : 'in';
}

test('only the right password, nonce and channel get in', async () => {
  assert.equal(await play({}), 'in');
  assert.equal(await play({ password: 'pencils' }), 'refused');
  assert.equal(await play({ nonce: (nonce) => nonce.slice(0, 6) }), 'refused');
  assert.equal(await play({ nonce: (nonce) => `${nonce}x` }), 'refused');
  assert.equal(await play({ header: 'p=tls-exporter,,', plus: 'yes', binding: Buffer.from('the channel') }), 'in');
  assert.equal(await play({ header: 'p=tls-exporter,,', plus: 'yes', binding: Buffer.from('other channel') }), 'refused');
  assert.equal(await play({ header: 'p=tls-exporter,,', plus: 'yes' }), 'refused');
});

test('who can bind to the channel, and sees no offer of it, is warned of the man in the middle', () => {
  const server = (bindings: ReadonlyMap<string, Buffer>): ScramServer => new ScramServer({ mechanism: 'SCRAM-SHA-256', plus: 'no', bindings });
  assert.throws(() => server(someBindings).first(Buffer.from(`y,,${bare}`)), (error) => isFailure(error, 'bad-credentials'));
  assert.equal(server(noBindings).first(Buffer.from(`y,,${bare}`)).user, 'user');
});

test('names are unescaped, and messages that are none refused', () => {
  const server = (plus: 'yes' | 'no' = 'no'): ScramServer => new ScramServer({ mechanism: 'SCRAM-SHA-1', plus, bindings: someBindings });
  assert.deepEqual(server().first(Buffer.from('n,a=o=2Cther,n=us=3Der,r=x')), { user: 'us=er', authorisationId: 'o,ther' });
  for (const message of ['', 'n,,', 'n,,n=user', 'n,,n=,r=x', 'n,,m=ext,n=user,r=x', 'n,,n=us=er,r=x', 'n,,n=user,r=a b', 'x,,n=user,r=x', 'p=tls-exporter,,n=user,r=x', 'p=,,n=user,r=x', 'n,,n=us\0er,r=x']) {
    assert.throws(() => server().first(Buffer.from(message)), badInput, message);
  }
  assert.throws(() => server('yes').first(Buffer.from(`n,,${bare}`)), badInput);
  assert.throws(() => server('yes').first(Buffer.from(`p=tls-unique,,${bare}`)), badInput);
  assert.throws(() => server().finish(Buffer.from('c=biws,r=x,p=eA==')), badInput);
  assert.throws(() => server().first(Buffer.from([0x6e, 0x2c, 0x2c, 0x6e, 0x3d, 0xff, 0x2c, 0x72, 0x3d, 0x78])), badInput);
});

test('whatever strangers send is refused as malformed at worst', async () => {
  const keys = await keysOf('SCRAM-SHA-1');
  const pieces = fc.array(fc.constantFrom('n,,', 'y,,', 'p=tls-exporter,,', 'n=user', 'r=abc', 'c=biws', 'p=AAAA', ',', '=', 'a=x', '\x01', 'auth=Bearer ', 'user=x', 'é')).map((list) => Buffer.from(list.join('')));
  const anything = fc.oneof(fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)), pieces);
  const harmless = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      assert.ok(badInput(error) || isFailure(error, 'bad-credentials'), String(error));
    }
  };
  fc.assert(fc.property(anything, anything, (one, two) => {
    harmless(() => readBearer('OAUTHBEARER', one));
    harmless(() => readBearer('XOAUTH2', one));
    harmless(() => {
      const server = new ScramServer({ mechanism: 'SCRAM-SHA-1', plus: 'no', bindings: noBindings });
      server.first(one);
      server.challenge(keys);
      assert.equal(server.finish(two), undefined);
    });
    const begun = new ScramServer({ mechanism: 'SCRAM-SHA-1', plus: 'no', bindings: noBindings });
    begun.first(Buffer.from(`n,,${bare}`));
    begun.challenge(keys);
    harmless(() => assert.equal(begun.finish(two), undefined));
  }), { numRuns: 2_000 });
});

test('stored keys are read in all their spellings, and tell the password', async () => {
  const keys = await keysOf('SCRAM-SHA-256');
  const [salt, stored, server] = [keys.salt, keys.storedKey, keys.serverKey].map((part) => part.toString('base64'));
  for (const value of [`{SCRAM-SHA-256}2,${salt ?? ''},${stored ?? ''},${server ?? ''}`, `SCRAM-SHA-256$2:${salt ?? ''}$${stored ?? ''}:${server ?? ''}`, `{scram-sha-256}2:${salt ?? ''}$${stored ?? ''}:${server ?? ''}`]) {
    const read = parseScramKeys(value);
    assert.deepEqual(read, { mechanism: 'SCRAM-SHA-256', keys }, value);
    assert.equal(await isPasswordOf('SCRAM-SHA-256', keys, 'pencil'), true);
    assert.equal(await isPasswordOf('SCRAM-SHA-256', keys, 'pen'), false);
  }
  for (const value of ['', 'pencil', '{SCRAM-SHA-256}', `{SCRAM-SHA-1}2,${salt ?? ''},${stored ?? ''},${server ?? ''}`, `{SCRAM-SHA-256}9999999,${salt ?? ''},${stored ?? ''},${server ?? ''}`]) {
    assert.equal(parseScramKeys(value), undefined, value);
  }
});

test('passwords are prepared: what looks the same is the same', async () => {
  const at = { salt: Buffer.from('salt'), iterations: 1 };
  assert.deepEqual(await deriveScramKeys('SCRAM-SHA-1', 'I\u00adX\u2168', at), await deriveScramKeys('SCRAM-SHA-1', 'IXIX', at));
  assert.ok(await deriveScramKeys('SCRAM-SHA-1', 'bell\u0007', at));
});

test('bearer tokens are read as the standards write them', () => {
  assert.deepEqual(readBearer('OAUTHBEARER', Buffer.from('n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01')), { user: 'user@example.com', token: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==' });
  assert.deepEqual(readBearer('OAUTHBEARER', Buffer.from('n,,\x01auth=Bearer abc.def\x01\x01')), { user: undefined, token: 'abc.def' });
  assert.deepEqual(readBearer('XOAUTH2', Buffer.from('user=a=b@example.com\x01auth=Bearer abc\x01\x01')), { user: 'a=b@example.com', token: 'abc' });
  for (const text of ['', '\x01', 'n,,\x01\x01', 'n,,\x01auth=Basic abc\x01\x01', 'n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01', 'p=tls-exporter,,\x01auth=Bearer a\x01\x01']) {
    assert.throws(() => readBearer('OAUTHBEARER', Buffer.from(text)), badInput, text);
  }
  assert.deepEqual(JSON.parse(bearerRefusal('OAUTHBEARER', 'mail').toString()), { status: 'invalid_token', scope: 'mail' });
});
