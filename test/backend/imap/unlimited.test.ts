/** What an account that has no limits says of its quota (RFC 9208 section 7): a QUOTA response lists at least one resource, so there is no quota root. */
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { password, startServer } from './harness.ts';

test('An account without limits has no quota root', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const client = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  t.after(() => client.close());
  client.say(`a LOGIN unlimited@example.com "${password}"`);
  await client.until(/^a OK/);
  client.say('b GETQUOTAROOT INBOX');
  await client.expect(/^\* QUOTAROOT INBOX$/);
  await client.expect(/^b OK/);
  client.say('c GETQUOTA ""');
  await client.expect(/^c NO \[NONEXISTENT\] no such quota root$/);
});
