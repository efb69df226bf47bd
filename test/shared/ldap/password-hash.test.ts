import assert from 'node:assert/strict';
import { createHash, pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { hash as hashArgon2 } from '@node-rs/argon2';
import { hash as hashBcrypt } from 'bcryptjs';
import fc from 'fast-check';
import { encrypt as unixCrypt } from 'unixcrypt';
import { hashPassword, isHashed, verifyPassword } from '../../../shared/ldap/password-hash.ts';

const password = 'pässword 1';
const digest = (name: string, salt = ''): string => Buffer.concat([createHash(name).update(password).update(salt).digest(), Buffer.from(salt)]).toString('base64');
const adapted = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '.').replace(/=+$/, '');
const pbkdf2 = (bytes: number, name: string): string => `1000$${adapted(Buffer.from('salz'))}$${adapted(pbkdf2Sync(password, 'salz', 1000, bytes, name))}`;

const stored: Readonly<Record<string, string>> = {
  'clear text': password,
  CLEARTEXT: `{CLEARTEXT}${password}`,
  SHA: `{SHA}${digest('sha1')}`,
  SSHA: `{SSHA}${digest('sha1', 'salz')}`,
  SSHA256: `{SSHA256}${digest('sha256', 'salzsalz')}`,
  SSHA512: `{ssha512}${digest('sha512', 'salz')}`,
  'CRYPT bcrypt': `{CRYPT}${await hashBcrypt(password, 4)}`,
  'CRYPT $5$': `{CRYPT}${unixCrypt(password, '$5$rounds=1000$saltsalt')}`,
  'CRYPT $6$': `{CRYPT}${unixCrypt(password, '$6$saltsalt')}`,
  ARGON2: `{ARGON2}${await hashArgon2(password, { memoryCost: 1024 })}`,
  PBKDF2: `{PBKDF2}${pbkdf2(20, 'sha1')}`,
  'PBKDF2-SHA256': `{PBKDF2-SHA256}${pbkdf2(32, 'sha256')}`,
  'PBKDF2-SHA512': `{PBKDF2-SHA512}${pbkdf2(64, 'sha512')}`,
};

for (const [scheme, value] of Object.entries(stored)) {
  test(`${scheme}: the right password matches, others don't`, async () => {
    assert.equal(await verifyPassword(value, password), 'match');
    assert.equal(await verifyPassword(value, 'password 1'), 'mismatch');
    assert.equal(await verifyPassword(value, ''), 'mismatch');
  });
}

test('values as slappasswd makes them match', async () => {
  assert.equal(await verifyPassword('{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3', 'secret'), 'match');
  assert.equal(await verifyPassword('{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'secret'), 'match');
});

test('unknown schemes never match, and broken values of known ones neither', async () => {
  for (const value of ['{X-UNKNOWN}secret', '{CRYPT}$1$abc$def', '{CRYPT}$6$', '{CRYPT}secret', '{CRYPT}$y$j9T$x$y']) assert.equal(await verifyPassword(value, 'secret'), 'unsupported', value);
  for (const value of ['{SSHA}', '{SSHA}!!', '{ARGON2}x', '{PBKDF2}0$$', '{PBKDF2}1$$', '{PBKDF2-SHA256}', '{SHA}c2VjcmV0', '']) {
    assert.equal(await verifyPassword(value, 'secret'), 'mismatch', value);
  }
});

test('a new value matches its password only, and no two are the same', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1 }), async (right, other) => {
    const value = hashPassword(right);
    assert.ok(isHashed(value));
    assert.notEqual(value, hashPassword(right));
    assert.equal(await verifyPassword(value, right), 'match');
    if (other !== right) assert.equal(await verifyPassword(value, other), 'mismatch');
  }), { numRuns: 50 });
});
