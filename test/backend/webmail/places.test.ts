/** With one place for requests (`maxConnThreads`) one is worked on at a time; who waits for their client has none. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandSlots } from '../../../shared/workers/command-slots.ts';
import { ApiUser, clusterFor } from './harness.ts';

test('requests beyond the places wait in their order; a body that does not come and a page that waits for news take no place', { timeout: 60_000 }, async (t) => {
  const gate = Promise.withResolvers<void>();
  let submitting = 0;
  const submit = async (): Promise<string> => {
    submitting += 1;
    await gate.promise;
    return 'item';
  };
  const cluster = await clusterFor(t, { webmail: { submit, slots: new CommandSlots('webmail', 1) } });
  const [alice, carol] = [await ApiUser.signedIn(cluster.backends.be1.url, 'alice@example.com'), await ApiUser.signedIn(cluster.backends.be1.url, 'carol@example.com')];
  const options = { rejectUnauthorized: false, agent: false, headers: { 'waybill-request': 'user', cookie: carol.client.cookie } };
  const events = request(`${carol.url}/api/events`, options).end();
  await once(events, 'response');
  const slow = request(`${carol.url}/api/send`, { ...options, method: 'POST', headers: { ...options.headers, 'content-type': 'application/json', 'content-length': '1000' } });
  slow.on('error', () => undefined); // it is cut below
  slow.write('{"to":');
  await carol.mailboxes(); // answered although both are open
  const sent = alice.client.post(`${alice.url}/api/send`, { to: 'x@example.net', text: 'hello' });
  for (const deadline = Date.now() + 20_000; submitting === 0; await sleep(10)) assert.ok(Date.now() < deadline);
  let answered = 'waits';
  const asked = carol.mailboxes().then(() => { answered = 'is answered'; });
  await sleep(300); // a request that has no reason to wait is answered in less
  assert.equal(answered, 'waits');
  gate.resolve();
  assert.equal((await sent).status, 200);
  await asked;
  slow.destroy();
  events.destroy();
});
