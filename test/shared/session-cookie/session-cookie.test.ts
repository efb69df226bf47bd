/** The session cookie: what was signed is read, anything else is not. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { findSessionCookie, renewedSession, sessionSetCookie, signSession, verifySession } from '../../../shared/session-cookie/session-cookie.ts';

const secret = Buffer.alloc(32, 1);
const ages = { idleMs: 1000, absoluteMs: 5000 };
const claims = { address: 'a@example.com', epoch: 3, session: 'abc', signedInAtMs: 100_000, seenAtMs: 100_000 };
const verify = (value: string, nowMs = 100_500): unknown => verifySession(value, { secret, ages, nowMs });

test('a signed session is read back until it is idle or old', () => {
  const value = signSession(claims, secret);
  assert.deepEqual(verify(value), claims);
  assert.equal(verify(value, 101_000), undefined);
  assert.notEqual(verify(signSession({ ...claims, seenAtMs: 104_500 }, secret), 104_900), undefined);
  assert.equal(verify(signSession({ ...claims, seenAtMs: 104_900 }, secret), 105_000), undefined);
});

test('no change of a single character, and no other secret, gives a session', () => {
  const value = signSession(claims, secret);
  for (let at = 0; at < value.length; at += 1) {
    const other = value[at] === 'A' ? 'B' : 'A';
    const changed = value.slice(0, at) + other + value.slice(at + 1);
    // The last character of a digest of 32 bytes has two bits that mean nothing.
    if (at < value.length - 1) assert.equal(verify(changed), undefined, changed);
  }
  assert.equal(verify(signSession(claims, Buffer.alloc(32, 2))), undefined);
  for (const odd of ['', '.', 'a.b', `${value}.x`, value.repeat(50)]) assert.equal(verify(odd), undefined);
  assert.throws(() => signSession(claims, Buffer.alloc(16)), /at least 32 bytes/);
});

test('the cookie is found among others, and renewed once a tenth of the idle time is over', () => {
  assert.equal(findSessionCookie('x=1; __Host-waybill=v.s; y=2'), 'v.s');
  assert.equal(findSessionCookie('x__Host-waybill=v.s'), undefined);
  assert.equal(findSessionCookie(undefined), undefined);
  assert.equal(renewedSession(claims, ages, 100_100), undefined);
  assert.equal(renewedSession(claims, ages, 100_101)?.seenAtMs, 100_101);
  assert.match(sessionSetCookie(claims, secret, ages), /; Max-Age=5; Secure; HttpOnly; SameSite=Strict$/);
});
