/** STORE with .SILENT hides the client's own change and nobody else's, however close before it that was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import type { FlagChange, FlagOutcome, Mailbox } from '../../../backend/storage/storage.ts';
import { messageAbout } from './conversation.ts';
import { deliver, mailboxOf, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';
import { ask, demandOk } from './two-nodes.ts';

const address = 'silent@example.com';
const flagged: FlagChange = { mode: 'add', flags: 0, keywords: ['$Theirs'] };

async function logIn(server: TestServer): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`l LOGIN ${address} "${password}"`);
  await dialogue.until(/^l OK/);
  return dialogue;
}

/** Somebody else's change is committed after the client's next command was told the news, and before its own change. */
function changeInBetween(mailbox: Mailbox, uids: readonly number[], change: FlagChange): void {
  const kind = Object.getPrototypeOf(mailbox) as Mailbox;
  const { changeFlags } = kind;
  kind.changeFlags = async function later(this: Mailbox, ...given: Parameters<Mailbox['changeFlags']>): Promise<FlagOutcome> {
    kind.changeFlags = changeFlags;
    await changeFlags.call(mailbox, uids, change);
    return changeFlags.apply(this, given);
  };
}

test('STORE with .SILENT tells what others changed between the news and it, once, and nothing else', async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  for (const about of ['one', 'two', 'three']) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout(about));
  const found = server.storage.find(address);
  assert.ok(found.at === 'live');
  const mailbox = mailboxOf(found.account, 'INBOX');
  const client = await logIn(server);
  await demandOk(client, 'SELECT INBOX');
  assert.deepEqual(await demandOk(client, 'STORE 1:3 +FLAGS.SILENT (\\Flagged)'), []);

  changeInBetween(mailbox, [2], flagged);
  const told = (await demandOk(client, 'STORE 1:3 +FLAGS.SILENT (\\Seen)')).filter((line) => line.includes('FETCH'));
  assert.deepEqual(told, ['* 2 FETCH (UID 2 FLAGS (\\Recent \\Flagged \\Seen $Theirs))']);
  assert.deepEqual(await demandOk(client, 'NOOP'), []);

  changeInBetween(mailbox, [1], { mode: 'replace', flags: 0, keywords: ['$Theirs'] });
  assert.deepEqual(await demandOk(client, 'UID STORE 1 -FLAGS.SILENT (\\Seen)'), ['* 1 FETCH (UID 1 FLAGS (\\Recent $Theirs))'], 'also where nothing is left to be done');
  assert.deepEqual(await demandOk(client, 'NOOP'), []);

  await demandOk(client, 'ENABLE CONDSTORE');
  changeInBetween(mailbox, [3], flagged);
  const both = (await demandOk(client, 'STORE 2:3 +FLAGS.SILENT (\\Answered)')).map((line) => line.replace(/\d+\)\)/, 'n))'));
  assert.deepEqual(both, ['* 2 FETCH (UID 2 MODSEQ (n))', '* 3 FETCH (UID 3 FLAGS (\\Recent \\Answered \\Flagged \\Seen $Theirs) MODSEQ (n))']);

  changeInBetween(mailbox, [3], { mode: 'remove', flags: 0, keywords: ['$Theirs'] });
  const refused = await ask(client, 'STORE 3 (UNCHANGEDSINCE 1000) +FLAGS.SILENT (\\Draft)');
  assert.match(refused.end, /^OK STORE/);
  assert.match(refused.lines.join(), /^\* 3 FETCH \(UID 3 FLAGS \(\\Recent \\Answered \\Flagged \\Seen \\Draft\) MODSEQ/);

  await demandOk(client, 'NOTIFY SET (selected (MessageNew MessageExpunge))');
  changeInBetween(mailbox, [2], { mode: 'remove', flags: 0, keywords: ['$Theirs'] });
  assert.doesNotMatch((await demandOk(client, 'STORE 2 +FLAGS.SILENT (\\Draft)')).join(), /FLAGS/, 'a client that wants to hear of nobody\'s changes does not');
  client.close();
});
