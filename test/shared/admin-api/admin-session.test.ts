/** Ended sign-ins of administrators are remembered as long as they could serve, and no longer. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { AdminSessions } from '../../../shared/admin-api/admin-session.ts';

test('a session that was ended is refused as long as it could hold, and forgotten afterwards', () => {
  const record = { name: 'ann', capabilities: new Set<never>(), domains: [], passwordHash: '{ARGON2}x', totpSecret: undefined };
  const sessions = new AdminSessions({
    secret: Buffer.alloc(32, 1), ages: { idleMs: 10_000, absoluteMs: 60_000 }, tokenMs: 90_000, find: () => record,
    notices: { post: () => undefined, subscribe: () => undefined },
  });
  const claims = sessions.begin(record, 'token', 0);
  const value = sessions.sign(claims);
  assert.equal(sessions.verify(value, 'token', 1000)?.record.name, 'ann');
  sessions.end(claims.session, 1000);
  sessions.end('another', 89_000);
  assert.deepEqual([sessions.verify(value, 'token', 89_000), sessions.remembered], [undefined, 2]);
  sessions.end('a third', 91_001);
  assert.deepEqual([sessions.verify(value, 'token', 91_001), sessions.remembered], [undefined, 2]);
});
