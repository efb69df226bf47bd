/** NOTIFY across worker processes: by hints, and without them. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Flag } from '../../../backend/storage/storage.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

const address = 'watcher@example.com';

/** A client that has INBOX open and asked for these events. */
async function watcher(t: TestContext, server: TestServer, events: string): Promise<Dialogue> {
  const client = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  t.after(() => client.close());
  client.say(`a LOGIN ${address} "${password}"`);
  await client.until(/^a OK/);
  client.say('b SELECT INBOX');
  await client.until(/^b OK/);
  client.say(`c NOTIFY SET ${events}`);
  await client.until(/^c OK/);
  return client;
}

test('What another process has done is told although its hint was lost, both between commands and in IDLE.', { timeout: 60_000 }, async (t) => {
  const server = await startServer({ limits: { idleRecheckMs: 200 } });
  t.after(async () => server.stop());
  const client = await watcher(t, server, '(selected (MessageNew (UID) MessageExpunge)) (personal (MessageNew MessageExpunge MailboxName))');
  server.hints.silence = 'yes'; // as from a worker whose supervisor just died
  await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('one'));
  await client.expect(/^\* 1 EXISTS$/);
  await client.expect(/^\* 1 RECENT$/);
  await client.expect(/^\* 1 FETCH \(UID 1\)$/);
  await deliver({ storage: server.storage, address, mailbox: 'Junk' }, messageAbout('two'));
  await client.expect(/^\* STATUS Junk \(MESSAGES 1 UIDNEXT 2\)$/);
  client.say('d IDLE');
  await client.expect(/^\+ idling$/);
  await (await server.storage.createAccount(address)).createMailbox('Later');
  await client.expect(/^\* LIST \(\\HasNoChildren\) "\/" Later$/);
  client.say('DONE');
  await client.expect(/^d OK/);
});

test('A flood of mail is told together, and no message is told twice or not at all.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const client = await watcher(t, server, '(selected (MessageNew (UID) MessageExpunge))');
  const count = 100;
  await Promise.all(Array.from({ length: count }, async (_, index) => deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout(`m${String(index)}`))));
  for (let uid = 1; uid <= count; uid += 1) await client.until(new RegExp(`^\\* ${String(uid)} FETCH \\(UID ${String(uid)}\\)$`));
  client.say('d NOOP');
  await client.expect(/^d OK/);
});

test('What others did to flags just before the client closed the mailbox is told, though the client removed messages by closing it; what it did itself is not.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  for (const text of ['one', 'two', 'three']) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout(text));
  const account = await server.storage.createAccount(address);
  const client = await watcher(t, server, '(selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange))');
  server.hints.silence = 'yes'; // CLOSE is there before the hint
  client.say('d STORE 1 +FLAGS.SILENT (\\Deleted)');
  await client.expect(/^d OK/);
  client.say('e CLOSE');
  await client.expect(/^e OK/);
  server.hints.silence = 'no';
  await account.createMailbox('Sooner'); // by which it looks at all
  client.say('f NOOP');
  await client.expect(/^f OK/);
  server.hints.silence = 'yes';
  client.say('f SELECT INBOX');
  await client.until(/^f OK/);
  client.say('g STORE 1 +FLAGS.SILENT (\\Deleted)');
  await client.expect(/^g OK/);
  await account.mailbox('INBOX')?.changeFlags([3], { mode: 'add', flags: Flag.Seen, keywords: [] });
  client.say('h CLOSE');
  await client.expect(/^h OK/);
  server.hints.silence = 'no';
  await account.createMailbox('Later'); // by which it looks at all
  await client.expect(/^\* STATUS INBOX \(.*UNSEEN 0.*\)$/);
});

test('What others put into a mailbox just before the client closed it is told, though the client removed messages by closing it.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('one'));
  const client = await watcher(t, server, '(selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))');
  client.say('d STORE 1 +FLAGS.SILENT (\\Deleted)');
  await client.expect(/^d OK/);
  server.hints.silence = 'yes'; // CLOSE is there before the hint
  await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('two'));
  client.say('e CLOSE');
  await client.expect(/^e OK/);
  server.hints.silence = 'no';
  await (await server.storage.createAccount(address)).createMailbox('Later'); // by which it looks at all
  await client.expect(/^\* STATUS INBOX \(MESSAGES 1 UIDNEXT 3\)$/);
});

test('What others put into a mailbox before it was heard of is told: by those who did not ask for names, and behind the name by those who did.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const account = await server.storage.createAccount(address);
  const counting = await watcher(t, server, '(personal (MessageNew MessageExpunge))');
  const naming = await watcher(t, server, '(personal (MessageNew MessageExpunge MailboxName))');
  server.hints.silence = 'yes'; // the hint on the message is there first
  await account.createMailbox('Early');
  server.hints.silence = 'no';
  await deliver({ storage: server.storage, address, mailbox: 'Early' }, messageAbout('one'));
  await counting.expect(/^\* STATUS Early \(MESSAGES 1 UIDNEXT 2\)$/);
  await naming.expect(/^\* LIST \(\\HasNoChildren\) "\/" Early$/);
  await naming.expect(/^\* STATUS Early \(MESSAGES 1 UIDNEXT 2\)$/);
  server.hints.silence = 'yes'; // one look at both
  await account.createMailbox('Filled');
  await deliver({ storage: server.storage, address, mailbox: 'Filled' }, messageAbout('two'));
  server.hints.silence = 'no';
  await account.createMailbox('Empty');
  await counting.expect(/^\* STATUS Filled \(MESSAGES 1 UIDNEXT 2\)$/);
  await naming.expect(/^\* LIST \(\\HasNoChildren\) "\/" Empty$/);
  await naming.expect(/^\* LIST \(\\HasNoChildren\) "\/" Filled$/);
  await naming.expect(/^\* STATUS Filled \(MESSAGES 1 UIDNEXT 2\)$/);
  for (const client of [counting, naming]) {
    client.say('d NOOP');
    await client.expect(/^d OK/);
  }
});

test('A mailbox that others replaced by an empty one of the same name between two looks is told of, also to who did not ask for names.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const account = await server.storage.createAccount(address);
  await account.createMailbox('Team');
  await deliver({ storage: server.storage, address, mailbox: 'Team' }, messageAbout('old'));
  const client = await watcher(t, server, '(personal (MessageNew MessageExpunge))');
  server.hints.silence = 'yes'; // one look at both
  await account.deleteMailbox('Team');
  await account.createMailbox('Team');
  server.hints.silence = 'no';
  await account.createMailbox('Later');
  await client.expect(/^\* STATUS Team \(MESSAGES 0 UIDNEXT 2 UIDVALIDITY \d+\)$/); // no uid is used twice
});

test('Of a mailbox that it had not heard of yet, a client is told what others put in, and not what it put in itself.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const account = await server.storage.createAccount(address);
  await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('one'));
  const client = await watcher(t, server, '(personal (MessageNew MessageExpunge))');
  server.hints.silence = 'yes';
  for (const name of ['Mine', 'Ours']) await account.createMailbox(name);
  await deliver({ storage: server.storage, address, mailbox: 'Ours' }, messageAbout('another\'s'));
  client.say('d COPY 1 Mine');
  await client.expect(/^d OK/);
  client.say('e COPY 1 Ours');
  await client.expect(/^e OK/);
  server.hints.silence = 'no';
  await account.createMailbox('Later'); // by which it looks at all
  await client.expect(/^\* STATUS Ours \(MESSAGES 2 UIDNEXT 3\)$/);
  await deliver({ storage: server.storage, address, mailbox: 'Mine' }, messageAbout('two'));
  await client.expect(/^\* STATUS Mine \(MESSAGES 2 UIDNEXT 3\)$/);
});

test('A mailbox that others renamed to the name of one that they deleted just before is told once, with both names; what came into it is told by its new name.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const account = await server.storage.createAccount(address);
  for (const name of ['Old', 'Old/Below', 'New', 'New/Below', 'New/Gone']) await account.createMailbox(name);
  for (const name of ['New', 'New/Below']) await deliver({ storage: server.storage, address, mailbox: name }, messageAbout('old'));
  const client = await watcher(t, server, '(personal (MailboxName MessageNew MessageExpunge))');
  server.hints.silence = 'yes'; // one look at both
  for (const name of ['New/Below', 'New/Gone', 'New']) await account.deleteMailbox(name);
  await account.renameMailbox('Old', 'New');
  await deliver({ storage: server.storage, address, mailbox: 'New' }, messageAbout('new'));
  server.hints.silence = 'no';
  await account.createMailbox('Later');
  await client.expect(/^\* LIST \(\\HasNoChildren\) "\/" Later$/);
  await client.expect(/^\* LIST \(\\NonExistent \\HasNoChildren\) "\/" New\/Gone$/);
  await client.expect(/^\* LIST \(\\HasChildren\) "\/" New \("OLDNAME" \(Old\)\)$/);
  await client.expect(/^\* STATUS New \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+\)$/);
  await client.expect(/^\* STATUS New\/Below \(MESSAGES 0 UIDNEXT 1 UIDVALIDITY \d+\)$/);
  client.say('d NOOP');
  await client.expect(/^d OK/);
});

test('A subscribed mailbox that others rename is told once, as it is subscribed under its new name; without names the old name is told as not subscribed any more.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const account = await server.storage.createAccount(address);
  for (const name of ['Old', 'Old/Below']) {
    await account.createMailbox(name);
    await account.setSubscribed(name, 'yes');
  }
  const both = await watcher(t, server, '(personal (MailboxName SubscriptionChange))');
  const subscribed = await watcher(t, server, '(subscribed (SubscriptionChange))');
  await account.renameMailbox('Old', 'New');
  await subscribed.expect(/^\* LIST \(\\HasChildren \\Subscribed\) "\/" New$/);
  await subscribed.expect(/^\* LIST \(\\HasNoChildren \\Subscribed\) "\/" New\/Below$/);
  await subscribed.expect(/^\* LIST \(\\NonExistent \\HasNoChildren\) "\/" Old$/);
  await subscribed.expect(/^\* LIST \(\\NonExistent \\HasNoChildren\) "\/" Old\/Below$/);
  await both.expect(/^\* LIST \(\\HasNoChildren \\Subscribed\) "\/" New\/Below$/);
  await both.expect(/^\* LIST \(\\NonExistent \\HasNoChildren\) "\/" Old\/Below$/);
  await both.expect(/^\* LIST \(\\HasChildren \\Subscribed\) "\/" New \("OLDNAME" \(Old\)\)$/);
  await account.setSubscribed('New', 'no');
  for (const client of [both, subscribed]) {
    await client.expect(/^\* LIST \(\\HasChildren\) "\/" New$/);
    client.say('d NOOP');
    await client.expect(/^d OK/);
  }
});
