/** A mailbox that was empty forgets its keywords when new ones find no room: what sessions say that have it open in another worker process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import { workerOf } from './second-worker.ts';
import { ask, demandOk } from './two-nodes.ts';

const address = 'keywords@example.com';
const namesOf = (letter: string): string => Array.from({ length: 32 }, (_, index) => `${letter}${String(index)}`).join(' ');
const system = '\\Answered \\Flagged \\Deleted \\Seen \\Draft';

async function logIn(port: number): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port, tls: 'implicit' });
  await demandOk(dialogue, `LOGIN ${address} "${password}"`);
  return dialogue;
}

test('Sessions of another worker hear the new names before the messages that bear them, and find none by the old ones, even where as many names are new', async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const target = { storage: server.storage, address, mailbox: 'INBOX' };
  for (const subject of ['one', 'two']) await deliver(target, messageAbout(subject));
  const [one, other] = [await logIn(server.ports.tls), await logIn(await workerOf(t, server.directory))];
  await demandOk(one, 'SELECT INBOX');
  await demandOk(one, `STORE 1 +FLAGS (${namesOf('old')})`);
  await demandOk(other, 'SELECT INBOX');
  const followed = await demandOk(other, 'SEARCH RETURN (UPDATE COUNT) KEYWORD old3');
  assert.match(followed.join(), /COUNT 1/);
  assert.match((await ask(one, 'STORE 1:2 +FLAGS (new3)')).end, /^NO \[LIMIT\]/);
  await demandOk(one, 'COPY 2 Drafts');
  await demandOk(one, 'STORE 1:2 FLAGS (\\Deleted)');
  assert.match((await ask(one, 'STORE 2 +FLAGS (new3)')).end, /^NO \[LIMIT\]/, 'a message is there yet');
  await demandOk(one, 'EXPUNGE');
  await demandOk(one, 'SELECT Drafts');
  await demandOk(one, `STORE 1 FLAGS (${namesOf('new')})`);
  await demandOk(one, 'COPY 1 INBOX'); // the other session has not heard that it was empty
  const heard = await demandOk(other, 'FETCH 1:2 FLAGS');
  assert.deepEqual([heard[0], ...heard.slice(-2)], [`* FLAGS (${system} ${namesOf('new')})`, '* 3 EXISTS', '* 1 RECENT']);
  assert.deepEqual(heard.filter((line) => line.includes('FETCH') || line.includes('old') || line.includes('ADDTO')), [], 'they are gone');
  assert.equal(heard.filter((line) => line.includes('REMOVEFROM')).length, 1, 'of the results, too');
  assert.deepEqual(await demandOk(other, 'NOOP'), ['* 2 EXPUNGE', '* 1 EXPUNGE']);
  assert.deepEqual(await demandOk(other, 'FETCH 1 FLAGS'), [`* 1 FETCH (FLAGS (\\Recent ${namesOf('new')}))`]);
  assert.deepEqual(await demandOk(other, 'SEARCH KEYWORD old3'), ['* SEARCH']);
  assert.deepEqual(await demandOk(other, 'SEARCH KEYWORD new3'), ['* SEARCH 1']);
  one.close();
  other.close();
});

test('A session that has the mailbox open is told FLAGS before it hears of a message with a new name', async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('one'));
  const [one, other] = [await logIn(server.ports.tls), await logIn(await workerOf(t, server.directory))];
  await demandOk(one, 'SELECT INBOX');
  await demandOk(one, `STORE 1 +FLAGS (${namesOf('old')})`);
  await demandOk(other, 'SELECT INBOX');
  await demandOk(one, 'STORE 1 FLAGS (\\Deleted)');
  await demandOk(one, 'EXPUNGE');
  one.sayRaw('a APPEND INBOX (fresh old4) {4+}\r\na: b\r\n');
  await one.expect(/^\* FLAGS /);
  await one.expect(/^\* OK \[PERMANENTFLAGS /);
  await one.expect(/^\* 1 EXISTS/);
  await one.expect(/^\* 1 RECENT/);
  await one.expect(/^a OK/);
  const heard = await demandOk(other, 'NOOP');
  assert.deepEqual(heard.map((line) => line.replace(/\] .*$/, ']')), [`* FLAGS (${system} fresh old4)`, `* OK [PERMANENTFLAGS (${system} fresh old4 \\*)]`, '* 1 EXPUNGE', '* 1 EXISTS', '* 1 RECENT']);
  assert.deepEqual(await demandOk(other, 'FETCH 1 FLAGS'), ['* 1 FETCH (FLAGS (\\Recent fresh old4))']);
  one.close();
  other.close();
});

test('A FETCH that marks a message as seen, to which somebody gives a new keyword just then, is told FLAGS before it', async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter) => `fresh-${letter}`);
  for (const _ of names) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('no keyword'));
  const reader = await logIn(server.ports.tls);
  await demandOk(reader, 'SELECT INBOX');
  const [folder] = server.storage.care.folders();
  const found = server.storage.find(address);
  assert.ok(folder !== undefined && found.at === 'live');
  for (const [index, name] of names.entries()) {
    await folder.environment.lock(Date.now() + 60_000); // till both wait; which of them goes first is open
    const given = found.account.mailbox('INBOX')?.changeFlags([index + 1], { mode: 'add', flags: 0, keywords: [name] });
    const fetched = demandOk(reader, `FETCH ${String(index + 1)} BODY[TEXT]`);
    await sleep(100);
    await folder.environment.unlock();
    await given;
    const heard = [...await fetched, ...await demandOk(reader, 'NOOP')];
    assert.match(heard.find((line) => line.includes(name)) ?? '', /^\* FLAGS /, heard.join('\n'));
  }
  reader.close();
});
