/** NOTIFY of folders of others on the same node (RFC 5465): what replaced one, what is unsubscribed, what is heard during a look, what is deleted, and too much. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Account } from '../../../backend/storage/storage.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import type { TestServer, TestServerOptions } from './harness.ts';
import { demandOk } from './two-nodes.ts';

const owner = 'owner@example.com';
const guest = 'guest@example.com';

interface Stage {
  readonly server: TestServer;
  readonly account: Account;
  /** Sessions of the guest. */
  readonly logIn: () => Promise<Dialogue>;
}

/** The owner shares Team, and what is below it. */
async function stage(t: TestContext, options: TestServerOptions = {}): Promise<Stage> {
  const server = await startServer(options);
  t.after(async () => server.stop());
  const account = await server.storage.createAccount(owner);
  await account.createMailbox('Team');
  await account.changeRights('Team', guest, (entry) => ({ ...entry, allow: 'lr' }));
  const logIn = async (): Promise<Dialogue> => {
    const client = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
    t.after(() => client.close());
    await demandOk(client, `LOGIN ${guest} "${password}"`);
    return client;
  };
  return { server, account, logIn };
}

function folder(name: string): string {
  return `"Other Users/${owner}/${name}"`;
}

async function expectLines(client: Dialogue, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) assert.equal(await client.line(), line);
}

test('A folder that took the place of one of the same name between two looks is watched in its stead.', { timeout: 60_000 }, async (t) => {
  const { server: { storage, hints }, account, logIn } = await stage(t);
  await deliver({ storage, address: owner, mailbox: 'Team' }, messageAbout('old'));
  const client = await logIn();
  await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MessageNew MessageExpunge))`);
  hints.silence = 'yes';
  await account.deleteMailbox('Team');
  await account.createMailbox('Team');
  await account.changeRights('Team', guest, (entry) => ({ ...entry, allow: 'lr' }));
  hints.silence = 'no';
  await account.createMailbox('Team/Seen'); // by which it looks
  await client.expect(/^\* STATUS "[^"]*\/Team" \(MESSAGES 0 UIDNEXT 2 UIDVALIDITY \d+\)$/); // no uid is used twice
  await deliver({ storage, address: owner, mailbox: 'Team' }, messageAbout('new'));
  await client.expect(/^\* STATUS "[^"]*\/Team" \(MESSAGES 1 UIDNEXT 3\)$/);
});

test('A folder that is unsubscribed is told of no more, and not as one that may not be read; one that may not is told with its subscription.', { timeout: 60_000 }, async (t) => {
  const { server: { storage }, account, logIn } = await stage(t);
  const [client, other] = [await logIn(), await logIn()];
  await demandOk(client, `SUBSCRIBE ${folder('Team')}`);
  await demandOk(client, 'NOTIFY SET (subscribed (MessageNew MessageExpunge))');
  await account.changeRights('Team', guest, (entry) => ({ ...entry, allow: '' }));
  await expectLines(client, `* LIST (\\NoAccess \\Subscribed) "/" ${folder('Team')}`);
  await account.changeRights('Team', guest, (entry) => ({ ...entry, allow: 'lr' }));
  await expectLines(client, `* LIST (\\Subscribed) "/" ${folder('Team')}`);
  await demandOk(client, 'NOOP');
  await demandOk(other, `UNSUBSCRIBE ${folder('Team')}`);
  await deliver({ storage, address: owner, mailbox: 'Team' }, messageAbout('untold'));
  await account.createMailbox('Team/Sooner'); // by which it looks
  assert.deepEqual(await demandOk(client, 'NOOP'), []);
});

test('What is heard while a look goes on is looked at again.', { timeout: 60_000 }, async (t) => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<undefined>();
  const { promise: members, resolve: answer } = Promise.withResolvers<readonly string[]>();
  const groups = {
    get 'slow@example.com'() {
      ask(undefined);
      return members;
    },
  };
  const { account, logIn } = await stage(t, { groups });
  const client = await logIn();
  await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MailboxName))`);
  await account.createMailbox('Team/Sooner');
  await expectLines(client, `* LIST (\\HasChildren) "/" ${folder('Team')}`, `* LIST (\\HasNoChildren) "/" ${folder('Team/Sooner')}`);
  await account.changeRights('Team/Sooner', '$slow@example.com', (entry) => ({ ...entry, deny: 'w' })); // by which it looks, and waits for the directory when it knows all names
  await asked;
  await account.createMailbox('Team/Later');
  answer([]);
  await expectLines(client, `* LIST (\\HasChildren) "/" ${folder('Team')}`, `* LIST (\\HasNoChildren) "/" ${folder('Team/Later')}`);
});

test('The folders of an account that is deleted are told as gone, those of one that vanished from the directory are not.', { timeout: 60_000 }, async (t) => {
  const { server: { storage }, logIn } = await stage(t);
  const client = await logIn();
  await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MailboxName MessageNew MessageExpunge))`);
  await storage.lives.withdraw(owner, 'vanished');
  await expectLines(client, `* LIST (\\NoAccess) "/" ${folder('Team')}`);
  await storage.lives.restore(owner);
  await expectLines(client, `* LIST () "/" ${folder('Team')}`);
  await storage.lives.withdraw(owner, 'deleted');
  await client.until(/^\* LIST \(\\NonExistent \\HasNoChildren\) "\/" "[^"]*\/Team"$/);
  assert.deepEqual(await demandOk(client, 'NOOP'), []);
});

test('More names of shared folders than are looked at are an overflow: none is told as gone that is there. Of whom they are not meant nobody asks.', { timeout: 60_000 }, async (t) => {
  const { server, account, logIn } = await stage(t, { mostNameBytes: 60 });
  const [client, modest] = [await logIn(), await logIn()];
  for (const one of [client, modest]) await demandOk(one, `NOTIFY SET (subtree ${one === client ? '"Other Users"' : folder('Team')} (MailboxName))`);
  await account.createMailbox('Team/One');
  for (const one of [client, modest]) await one.until(/Team\/One"$/);
  const another = await server.storage.createAccount('another@example.com'); // before the others, as it stands in lists
  for (let number = 0; number < 30; number += 1) {
    const { name } = (await another.createMailbox(`A${String(number)}`)).state();
    await another.changeRights(name, guest, (entry) => ({ ...entry, allow: 'lr' }));
  }
  await account.createMailbox('Team/Two');
  for (let line = await client.line(); !/^\* OK \[NOTIFICATIONOVERFLOW\]/.test(line); line = await client.line()) assert.doesNotMatch(line, /NonExistent.*Team/);
  assert.deepEqual(await demandOk(client, 'NOOP'), []);
  client.say('n NOTIFY SET (subtree "Other Users" (MailboxName))');
  await client.expect(/^n NO \[NOTIFICATIONOVERFLOW\]/);
  await modest.until(/Team\/Two"$/);
  await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MailboxName))`);
  await account.createMailbox('Team/Three');
  for (const one of [client, modest]) await one.until(/Team\/Three"$/);
});

test('A folder whose annotations may not be read is told as out of reach where they are asked for, and when that changes; where names alone are asked for it is not.', { timeout: 60_000 }, async (t) => {
  const { account, logIn } = await stage(t);
  const client = await logIn();
  const allow = async (rights: string) => account.changeRights('Team/Closed', guest, (entry) => ({ ...entry, allow: rights }));
  await account.createMailbox('Team/Closed');
  await allow('l');
  assert.deepEqual(await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MailboxName))`), []);
  assert.deepEqual(await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MailboxMetadataChange))`), [`* LIST (\\NoAccess) "/" ${folder('Team/Closed')}`]);
  for (const [rights, attributes] of [['li', ''], ['l', '\\NoAccess'], ['lr', ''], ['', '\\NoAccess']] as const) {
    await allow(rights);
    await expectLines(client, `* LIST (${attributes}) "/" ${folder('Team/Closed')}`);
  }
  assert.deepEqual(await demandOk(client, 'NOOP'), []);
  await allow('li'); // with messages asked for, too, it is not enough
  await client.expect(/^\* LIST \(\) /);
  assert.deepEqual(await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MailboxMetadataChange MessageNew MessageExpunge))`), [`* LIST (\\NoAccess) "/" ${folder('Team/Closed')}`]);
});

test('A folder that is renamed to the name of one that was deleted just before is told once, with both names, and mail that came into it before the rename was heard of is told by its new name.', { timeout: 60_000 }, async (t) => {
  const { server: { storage, hints }, account, logIn } = await stage(t);
  for (const name of ['Team/Old', 'Team/New', 'Team/Moved']) await account.createMailbox(name);
  await deliver({ storage, address: owner, mailbox: 'Team/New' }, messageAbout('old'));
  const client = await logIn();
  await demandOk(client, `NOTIFY SET (subtree ${folder('Team')} (MailboxName MessageNew MessageExpunge))`);
  hints.silence = 'yes'; // one look at all
  await account.deleteMailbox('Team/New');
  await account.renameMailbox('Team/Old', 'Team/New');
  await account.renameMailbox('Team/Moved', 'Team/There');
  for (const mailbox of ['Team/New', 'Team/There']) await deliver({ storage, address: owner, mailbox }, messageAbout('new'));
  hints.silence = 'no';
  hints.publish({ account: account.id });
  await expectLines(client, `* LIST (\\HasChildren) "/" ${folder('Team')}`);
  const lines = [await client.line(), await client.line(), await client.line(), await client.line()].map((line) => line.replace(/ UIDVALIDITY \d+/, '')).sort();
  assert.deepEqual(lines, [
    `* LIST (\\HasNoChildren) "/" ${folder('Team/New')} ("OLDNAME" (${folder('Team/Old')}))`, `* LIST (\\HasNoChildren) "/" ${folder('Team/There')} ("OLDNAME" (${folder('Team/Moved')}))`,
    `* STATUS ${folder('Team/New')} (MESSAGES 1 UIDNEXT 2)`, `* STATUS ${folder('Team/There')} (MESSAGES 1 UIDNEXT 2)`,
  ]);
  assert.deepEqual(await demandOk(client, 'NOOP'), []);
});
