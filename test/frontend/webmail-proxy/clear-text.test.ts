/** Signing in over http: refused, unless somebody wants it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterFor } from '../../backend/webmail/harness.ts';

const listeners = [{ host: '127.0.0.1', port: 0, tls: 'none' }] as const;

for (const [clearTextLogin, status] of [['no', 403], ['yes', 401]] as const) {
  test(`passwords over http, allowed: ${clearTextLogin}`, async (t) => {
    const cluster = await clusterFor(t, { proxy: { listeners, clearTextLogin } });
    const answer = await fetch(`${cluster.urls[0].replace('https:', 'http:')}/api/sign-in`, {
      method: 'POST', headers: { 'content-type': 'application/json', 'waybill-request': 'user' }, body: JSON.stringify({ name: 'alice', password: 'wrong' }),
    });
    assert.equal(answer.status, status, await answer.text());
  });
}
