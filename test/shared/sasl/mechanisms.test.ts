/** The server's SASL steps: what is taken, what is refused, and what the client side makes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../../shared/base/failure.ts';
import {
  decodeBase64, findMechanism, maxSaslLineBytes, maxSaslValueBytes, plainResponse, startSasl,
} from '../../../shared/sasl/mechanisms.ts';

const badInput = (thrown: unknown): boolean => isFailure(thrown, 'bad-input');

test('PLAIN reads the example of RFC 4616 section 4', () => {
  const step = startSasl('PLAIN').step(Buffer.from('\0tim\0tanstaaftanstaaf'));
  assert.deepEqual(step, { kind: 'password', authorisationId: undefined, user: 'tim', password: 'tanstaaftanstaaf' });
});

test('PLAIN reads the authorisation id of RFC 4616 section 4', () => {
  const step = startSasl('PLAIN').step(Buffer.from('Ursel\0Kurt\0xipj3plmq'));
  assert.deepEqual(step, { kind: 'password', authorisationId: 'Ursel', user: 'Kurt', password: 'xipj3plmq' });
});

test('PLAIN without an initial response asks with an empty challenge first', () => {
  const exchange = startSasl('PLAIN');
  assert.deepEqual(exchange.step(undefined), { kind: 'challenge', data: Buffer.alloc(0) });
  assert.equal(exchange.step(Buffer.from('\0a\0b')).kind, 'password');
});

test('PLAIN refuses a wrong number of fields, empty user or password, bad UTF-8 and overlong values', () => {
  const refused = [
    Buffer.from(''), Buffer.from('\0user'), Buffer.from('\0user\0password\0'), Buffer.from('\0\0password'),
    Buffer.from('\0user\0'), Buffer.from([0, 0xff, 0xfe, 0, 0x61]),
    Buffer.from(`\0user\0${'p'.repeat(maxSaslValueBytes + 1)}`), Buffer.alloc(1 << 20),
  ];
  for (const response of refused) assert.throws(() => startSasl('PLAIN').step(response), badInput);
});

test('what plainResponse makes, the server reads back', () => {
  const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => !text.includes('\0'));
  fc.assert(fc.property(value, value, value, (authorisationId, user, password) => {
    const step = startSasl('PLAIN').step(plainResponse({ authorisationId, user, password }));
    assert.deepEqual(step, { kind: 'password', authorisationId, user, password });
  }));
  assert.throws(() => plainResponse({ user: 'a\0b', password: 'x' }), badInput);
});

test('the longest response within the limits fits into maxSaslLineBytes', () => {
  const long = 'x'.repeat(maxSaslValueBytes);
  const line = plainResponse({ authorisationId: long, user: long, password: long }).toString('base64');
  assert.equal(line.length, maxSaslLineBytes);
  assert.equal(startSasl('PLAIN').step(Buffer.from(line, 'base64')).kind, 'password');
});

test('LOGIN asks for user and password in the words that clients expect', () => {
  const exchange = startSasl('LOGIN');
  assert.deepEqual(exchange.step(undefined), { kind: 'challenge', data: Buffer.from('Username:') });
  assert.deepEqual(exchange.step(Buffer.from('alice')), { kind: 'challenge', data: Buffer.from('Password:') });
  assert.deepEqual(exchange.step(Buffer.from('sécret')), {
    kind: 'password', authorisationId: undefined, user: 'alice', password: 'sécret',
  });
});

test('LOGIN takes the user as initial response and refuses empty values', () => {
  const exchange = startSasl('LOGIN');
  assert.deepEqual(exchange.step(Buffer.from('alice')), { kind: 'challenge', data: Buffer.from('Password:') });
  assert.throws(() => exchange.step(Buffer.alloc(0)), badInput);
  assert.throws(() => startSasl('LOGIN').step(Buffer.alloc(0)), badInput);
});

test('EXTERNAL hands over the authorisation id, and undefined for an empty response', () => {
  assert.deepEqual(startSasl('EXTERNAL').step(Buffer.from('fred@example.com')), {
    kind: 'external', authorisationId: 'fred@example.com',
  });
  assert.deepEqual(startSasl('EXTERNAL').step(Buffer.alloc(0)), { kind: 'external', authorisationId: undefined });
  assert.equal(startSasl('EXTERNAL').step(undefined).kind, 'challenge');
  assert.throws(() => startSasl('EXTERNAL').step(Buffer.from('a\0b')), badInput);
});

test('base64 is decoded strictly', () => {
  assert.deepEqual(decodeBase64(''), Buffer.alloc(0));
  assert.deepEqual(decodeBase64('AHRpbQ=='), Buffer.from('\0tim'));
  for (const text of ['AHRpbQ', 'AHRpbQ=', 'AHRpbR==', 'AH pbQ==', 'AHRp bQ==', '=', '*', 'a-_a', 'AHRpbQ==\r']) {
    assert.equal(decodeBase64(text), undefined, text);
  }
});

test('mechanism names are found whatever their case', () => {
  assert.equal(findMechanism('plain'), 'PLAIN');
  assert.equal(findMechanism('External'), 'EXTERNAL');
  assert.equal(findMechanism('CRAM-MD5'), undefined);
});
