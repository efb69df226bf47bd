/** Long work tells that it goes on (INPROGRESS, RFC 9585). The interval is shortened, so that short work counts as long. */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { countTurns } from '../../harness/event-loop-turns.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

const address = 'progress@example.com';
const count = 600;
let server: TestServer;

before(async () => {
  server = await startServer({ limits: { progressIntervalMs: 0 } });
  const account = await server.storage.createAccount(address);
  await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('one'));
  const inbox = account.mailbox('INBOX');
  assert.ok(inbox);
  // Copies of copies: cheaper than deliveries.
  for (let have = 1; have < count; have = inbox.state().messages) await inbox.copyTo(inbox.rows().slice(0, count - have).map(({ uid }) => uid), inbox);
});
after(async () => server.stop());

async function open(): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`l LOGIN ${address} "${password}"`);
  await dialogue.until(/^l OK/);
  dialogue.say('s SELECT INBOX');
  await dialogue.until(/^s OK/);
  return dialogue;
}

for (const command of ['SEARCH RETURN (COUNT) UNSEEN', 'SORT RETURN (COUNT) (SUBJECT) UTF-8 ALL', 'THREAD ORDEREDSUBJECT UTF-8 SUBJECT nothing']) {
  test(`${command} says how far it is, below its goal, before it answers`, async () => {
    const dialogue = await open();
    dialogue.say(`x1 ${command}`);
    let last = -1;
    let told = 0;
    for (;;) {
      const line = await dialogue.line();
      const [, done, goal] = /^\* OK \[INPROGRESS \("x1" (\d+) (\d+)\)\] still working$/.exec(line) ?? [];
      if (done === undefined) break;
      told += 1;
      assert.ok(Number(done) > last && Number(done) < count && Number(goal) === count, line);
      last = Number(done);
    }
    assert.ok(told > 0);
    await dialogue.until(/^x1 OK/);
    dialogue.close();
  });
}

test('a tag with a bracket is left out, and COPY says that it goes on while it waits', async () => {
  const dialogue = await open();
  dialogue.say('x] SEARCH RETURN (COUNT) UNFLAGGED'); // not asked before: it would be kept
  await dialogue.expect(/^\* OK \[INPROGRESS \(NIL \d+ 600\)\] still working$/);
  await dialogue.until(/^x\] OK/);
  const environments = server.storage.care.folders().map(({ environment }) => environment);
  for (const environment of environments) await environment.lock(Date.now() + 60_000);
  dialogue.say('x2 COPY 1 Trash');
  await dialogue.expect(/^\* OK \[INPROGRESS \("x2" NIL NIL\)\] still working$/);
  for (const environment of environments) await environment.unlock();
  await dialogue.until(/^x2 OK \[COPYUID/);
  dialogue.close();
});

test('a search in many small mailboxes gives everybody else of the process a turn after each', async (t) => {
  const account = server.storage.find(address);
  assert.ok(account.at === 'live');
  const dialogue = await open();
  mock.method(performance, 'now', ((now: () => number) => {
    let passedMs = 0;
    return () => now() + (passedMs += 20); // each step takes long
  })(performance.now.bind(performance)));
  t.after(() => mock.restoreAll());
  for (let count = 0; count < 40; count += 1) await account.account.createMailbox(`small/${String(count)}`);
  const turns = countTurns(t);
  dialogue.say('x4 ESEARCH IN (subtree small) UNSEEN');
  await dialogue.until(/^x4 OK/);
  assert.ok(turns() >= 40, String(turns()));
  dialogue.close();
});
