/** Long work tells that it goes on (INPROGRESS, RFC 9585). The interval is shortened, so that short work counts as long. */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import type { TestContext } from 'node:test';
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

/** Each step takes long, until the test ends. */
function passQuickly(t: TestContext): void {
  mock.method(performance, 'now', ((now: () => number) => {
    let passedMs = 0;
    return () => now() + (passedMs += 20);
  })(performance.now.bind(performance)));
  t.after(() => mock.restoreAll());
}

for (const [command, looks] of [['SEARCH RETURN (COUNT) UNSEEN', 1], ['SORT RETURN (COUNT) (SUBJECT) UTF-8 ALL', 2], ['THREAD ORDEREDSUBJECT UTF-8 SUBJECT nothing', 2]] as const) {
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
      assert.ok(Number(done) > last && Number(done) < looks * count && Number(goal) === looks * count, line);
      last = Number(done);
    }
    assert.ok(told > 0);
    await dialogue.until(/^x1 OK/);
    dialogue.close();
  });
}

for (const command of ['SORT (CC) UTF-8 ANSWERED', 'SORT (FROM) UTF-8 ALL', 'THREAD REFERENCES UTF-8 ALL']) {
  test(`${command} says how far it is with what it looks at of those that were found`, async (t) => {
    const dialogue = await open();
    passQuickly(t);
    dialogue.say(`x5 ${command}`);
    const reports: number[] = [];
    for (let line = await dialogue.line(); line.includes('INPROGRESS'); line = await dialogue.line()) reports.push(Number(/"x5" (\d+) 1200/.exec(line)?.[1]));
    assert.deepEqual(reports, [...reports].sort((one, other) => one - other));
    assert.equal(reports.some((done) => done > count), command.endsWith('ALL'), String(reports));
    assert.ok(reports.every((done) => done < 2 * count), String(reports));
    await dialogue.until(/^x5 OK/);
    dialogue.close();
  });
}

test('a tag with a bracket is left out, and whoever waits until others may write is told that the command goes on', async () => {
  const dialogue = await open();
  dialogue.say('x] SEARCH RETURN (COUNT) UNFLAGGED'); // not asked before: it would be kept
  await dialogue.expect(/^\* OK \[INPROGRESS \(NIL \d+ 600\)\] still working$/);
  await dialogue.until(/^x\] OK/);
  const environments = server.storage.care.folders().map(({ environment }) => environment);
  const message = messageAbout('two').toString();
  const literal = `{${String(message.length)}+}\r\n${message}`;
  for (const command of ['COPY 1 Trash', 'MOVE 1 Trash', 'STORE 2 +FLAGS (\\Deleted)', 'EXPUNGE', 'FETCH 3 BODY[]', `APPEND Trash ${literal}`, `REPLACE 4 Trash ${literal}`]) {
    for (const environment of environments) await environment.lock(Date.now() + 60_000);
    dialogue.say(`x2 ${command}`);
    await dialogue.expect(/^\* OK \[INPROGRESS \("x2" NIL NIL\)\] still working$/);
    for (const environment of environments) await environment.unlock();
    await dialogue.until(/^x2 OK/);
  }
  dialogue.close();
});

test('a search in many small mailboxes gives everybody else of the process a turn after each', async (t) => {
  const account = server.storage.find(address);
  assert.ok(account.at === 'live');
  const dialogue = await open();
  passQuickly(t);
  for (let count = 0; count < 40; count += 1) await account.account.createMailbox(`small/${String(count)}`);
  const turns = countTurns(t);
  dialogue.say('x4 ESEARCH IN (subtree small) UNSEEN');
  await dialogue.until(/^x4 OK/);
  assert.ok(turns() >= 40, String(turns()));
  dialogue.close();
});
