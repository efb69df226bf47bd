/** NOTIFY (RFC 5465) across nodes: of the open mailbox and of others that are named or subscribed to, messages, names, annotations; and a node that says nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageAbout } from './conversation.ts';
import { deliver } from './harness.ts';
import { close, deliverTo, pair } from './pairs.ts';
import { demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

/** How long a node is waited for that was asked. */
const patienceMs = 500;
let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes({ otherNodePatienceMs: patienceMs });
});
after(async () => cluster.stop());

test('wishes for the open mailbox hold on another node: which events, which items of new messages, and when', async () => {
  const both = await pair(cluster, 'wishes', 'lrste');
  const { owner, guest, inbox, ownerAddress } = both;
  await demandOk(guest, 'NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge))');
  await demandOk(guest, `SELECT ${inbox}`);
  await demandOk(owner, 'SELECT INBOX');
  await deliverTo(cluster, ['be2', ownerAddress], 'one');
  await guest.until(/^\* 1 EXISTS$/);
  for (const line of [/^\* 1 RECENT$/, /^\* 1 FETCH \(UID 1 BODY\[HEADER\.FIELDS \(SUBJECT\)\] \{\d+\}$/, /^Subject: one$/, /^$/, /^\)$/]) await guest.expect(line);
  await demandOk(owner, 'NOOP');
  await demandOk(owner, 'STORE 1 +FLAGS (\\Answered)');
  assert.deepEqual(await demandOk(guest, 'NOOP'), [], 'FlagChange was not asked for');
  await demandOk(guest, 'NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))');
  await demandOk(owner, 'STORE 1 +FLAGS (\\Deleted)');
  await guest.expect(/^\* 1 FETCH \(UID 1 FLAGS \(.*\\Deleted.*\)\)$/);
  await demandOk(owner, 'EXPUNGE');
  await deliverTo(cluster, ['be2', ownerAddress], 'two');
  for (const line of [/^\* 2 EXISTS$/, /^\* 2 RECENT$/]) await guest.expect(line);
  assert.deepEqual((await demandOk(guest, 'NOOP')), ['* 1 EXPUNGE', '* 1 RECENT']);
  await demandOk(guest, 'NOTIFY NONE');
  await deliverTo(cluster, ['be2', ownerAddress], 'three');
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  await demandOk(guest, 'NOTIFY SET (selected (MessageNew MessageExpunge))');
  close(both);
});

test('a command by numbers that enables CONDSTORE tells no expunges that wait (RFC 9051 section 7.5.1)', async () => {
  const both = await pair(cluster, 'implicit', 'lrswte');
  const { owner, guest, inbox, ownerAddress } = both;
  for (const subject of ['one', 'two', 'three']) await deliverTo(cluster, ['be2', ownerAddress], subject);
  await demandOk(guest, `NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange)) (subtree "Other Users/${ownerAddress}" (MessageNew MessageExpunge))`);
  await demandOk(guest, `SELECT ${inbox}`);
  await demandOk(owner, 'SELECT INBOX');
  await demandOk(owner, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
  await guest.expect(/^\* 1 FETCH \(UID 1 FLAGS /);
  await demandOk(owner, 'EXPUNGE');
  const told = await demandOk(guest, 'STORE 3 (UNCHANGEDSINCE 1000) +FLAGS (\\Flagged)');
  assert.deepEqual(told.filter((line) => line.includes('EXPUNGE')), []);
  assert.ok(told.some((line) => /^\* 3 FETCH \(UID 3 .*MODSEQ \(\d+\)\)$/.test(line)), told.join('\n'));
  assert.ok((await demandOk(guest, 'NOOP')).includes('* 1 EXPUNGE'));
  close(both);
});

test('NOTIFY tells of folders on another node as they change, as long as they may be read', async () => {
  const both = await pair(cluster, 'watched', 'lr');
  const { owner, guest, inbox, ownerAddress, guestAddress } = both;
  const team = `"Other Users/${ownerAddress}/Team"`;
  for (const name of ['Team', 'Team/Hidden']) await demandOk(owner, `CREATE ${name}`);
  await demandOk(owner, `SETACL Team ${guestAddress} lr`);
  await demandOk(owner, `SETACL Team/Hidden ${guestAddress} l`);
  await demandOk(guest, `SUBSCRIBE ${inbox}`);
  const told = await demandOk(guest, `NOTIFY SET STATUS (subtree ${team} (MessageNew MessageExpunge FlagChange)) (subscribed (MessageNew MessageExpunge))`);
  assert.deepEqual(told.filter((line) => line.includes('Other Users')).map((line) => line.replace(/ UIDVALIDITY .*/, '')), [
    `* STATUS ${inbox} (MESSAGES 0 UIDNEXT 1`, `* STATUS ${team} (MESSAGES 0 UIDNEXT 1`, `* LIST (\\NoAccess) "/" ${team.slice(0, -1)}/Hidden"`,
  ]);
  const deliverInto = async (mailbox: string): Promise<void> => deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox }, messageAbout('x'));
  await deliverInto('Team/Hidden');
  await deliverInto('Team');
  await guest.expect(/^\* STATUS "[^"]*\/Team" \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1\)$/);
  const roads = cluster.road.accepted;
  await sleep(3 * patienceMs); // a node that is waited for without a question may be quiet for as long as it likes
  await deliverInto('INBOX');
  await guest.expect(/^\* STATUS "[^"]*\/INBOX" \(MESSAGES 1 UIDNEXT 2\)$/);
  assert.equal(cluster.road.accepted, roads);
  guest.say('i IDLE');
  await guest.expect(/^\+ /);
  await deliverInto('INBOX');
  await guest.expect(/^\* STATUS "[^"]*\/INBOX" \(MESSAGES 2 UIDNEXT 3\)$/);
  guest.say('DONE');
  await guest.expect(/^i OK/);
  await demandOk(owner, `SETACL Team ${guestAddress} ""`);
  await guest.expect(/^\* LIST \(\\NoAccess\) "\/" "[^"]*\/Team"$/);
  await demandOk(owner, `SETACL Team ${guestAddress} lr`);
  await guest.expect(/^\* LIST \(\) "\/" "[^"]*\/Team"$/);
  await guest.expect(/^\* STATUS "[^"]*\/Team" \(MESSAGES 1 UIDNEXT 2 .*\)$/); // it may have got any mail meanwhile
  await deliverInto('Team');
  await guest.expect(/^\* STATUS "[^"]*\/Team" \(MESSAGES 2 UIDNEXT 3 .*\)$/);
  await demandOk(owner, `SETACL Team ${guestAddress} ""`);
  await guest.expect(/^\* LIST \(\\NoAccess\) "\/" "[^"]*\/Team"$/);
  await demandOk(guest, `UNSUBSCRIBE ${inbox}`);
  await deliverInto('INBOX');
  await deliverInto('Team');
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  close(both);
});

test('NOTIFY tells of mail in a folder on another node that was there before the folder was heard of, and in one that may be read since; of what could be read before it is not told', async () => {
  const both = await pair(cluster, 'fresh', 'lr');
  const { owner, guest, ownerAddress, guestAddress } = both;
  const { storage, hints } = cluster.nodes.be2;
  for (const name of ['Team', 'Team/Closed', 'Team/Old']) await demandOk(owner, `CREATE ${name}`);
  for (const [name, rights] of [['Team', 'lr'], ['Team/Closed', 'l'], ['Team/Old', 'lr']]) await demandOk(owner, `SETACL ${name ?? ''} ${guestAddress} ${rights ?? ''}`);
  const deliverInto = async (mailbox: string): Promise<void> => deliver({ storage, address: ownerAddress, mailbox }, messageAbout('x'));
  for (const mailbox of ['Team/Closed', 'Team/Old']) await deliverInto(mailbox);
  const closed = `"Other Users/${ownerAddress}/Team/Closed"`;
  for (let times = 0; times < 2; times += 1) assert.deepEqual(await demandOk(guest, `NOTIFY SET (subtree "Other Users/${ownerAddress}/Team" (MessageNew MessageExpunge))`), [`* LIST (\\NoAccess) "/" ${closed}`]);
  hints.silence = 'yes';
  await (await storage.createAccount(ownerAddress)).createMailbox('Team/Filled');
  await deliverInto('Team/Filled');
  hints.silence = 'no';
  await (await storage.createAccount(ownerAddress)).createMailbox('Team/Empty'); // by which it looks
  await guest.expect(/^\* STATUS "[^"]*\/Team\/Filled" \(MESSAGES 1 UIDNEXT 2\)$/);
  await demandOk(owner, `SETACL Team/Closed ${guestAddress} lr`);
  await guest.expect(new RegExp(`^\\* LIST \\(\\) "/" ${closed}$`));
  await guest.expect(/^\* STATUS "[^"]*\/Team\/Closed" \(MESSAGES 1 UIDNEXT 2\)$/);
  await demandOk(owner, 'RENAME Team/Old Team/Older');
  await guest.expect(/^\* LIST \(\\NoAccess\) "\/" "[^"]*\/Team\/Old"$/);
  await deliverInto('Team/Empty');
  await guest.expect(/^\* STATUS "[^"]*\/Team\/Empty" \(MESSAGES 1 UIDNEXT 2\)$/);
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  close(both);
});

test('NOTIFY tells of names and shared annotations of folders on another node, as far as they may be seen; nothing of what the client does there itself', async () => {
  const both = await pair(cluster, 'named', 'lr');
  const { owner, guest, ownerAddress, guestAddress } = both;
  const folder = (name: string): string => `"Other Users/${ownerAddress}/${name}"`;
  for (const name of ['Team', 'Closed']) await demandOk(owner, `CREATE ${name}`);
  await demandOk(owner, `SETACL Team ${guestAddress} lrkx`);
  await demandOk(guest, `SUBSCRIBE ${folder('Team')}`); // which the owner's node can't know
  await demandOk(guest, `NOTIFY SET (subtree (${folder('Team')} ${folder('Closed')}) (MailboxName MailboxMetadataChange))`);
  const expectLines = async (...lines: readonly string[]): Promise<void> => {
    for (const line of lines) assert.equal(await guest.line(), line);
  };
  await demandOk(owner, 'CREATE Closed/New');
  await demandOk(owner, 'CREATE Team/New');
  await expectLines(`* LIST (\\HasChildren \\Subscribed) "/" ${folder('Team')}`, `* LIST (\\HasNoChildren) "/" ${folder('Team/New')}`);
  await demandOk(owner, 'SETMETADATA Closed (/shared/comment "of a closed one")');
  await demandOk(owner, 'SETMETADATA Team/New (/private/comment "of the owner")');
  await demandOk(owner, 'SETMETADATA Team/New (/shared/comment "for all" /private/comment "of the owner, too")');
  await expectLines(`* METADATA ${folder('Team/New')} /shared/comment`);
  guest.say('i IDLE');
  await guest.expect(/^\+ /);
  await demandOk(owner, 'RENAME Team/New Team/Newer');
  await expectLines(`* LIST (\\HasNoChildren) "/" ${folder('Team/Newer')} ("OLDNAME" (${folder('Team/New')}))`);
  guest.say('DONE');
  await guest.expect(/^i OK/);
  await demandOk(owner, 'DELETE Team/Newer');
  await expectLines(`* LIST (\\HasNoChildren \\Subscribed) "/" ${folder('Team')}`, `* LIST (\\NonExistent \\HasNoChildren) "/" ${folder('Team/Newer')}`);
  assert.deepEqual(await demandOk(guest, `CREATE ${folder('Team/Mine')}`), []);
  assert.deepEqual(await demandOk(guest, `RENAME ${folder('Team/Mine')} ${folder('Team/Ours')}`), []);
  assert.deepEqual(await demandOk(guest, `SETMETADATA ${folder('Team/Ours')} (/shared/comment "mine" /private/comment "mine")`), []);
  assert.deepEqual(await demandOk(guest, `DELETE ${folder('Team/Ours')}`), []);
  await demandOk(owner, `SETACL Closed ${guestAddress} l`);
  await expectLines(`* LIST (\\HasNoChildren) "/" ${folder('Closed')}`);
  await demandOk(owner, `SETACL Closed ${guestAddress} ""`);
  await expectLines(`* LIST (\\NonExistent \\HasNoChildren) "/" ${folder('Closed')}`);
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  close(both);
});

test('who begins with mod-sequences without ENABLE is told them by NOTIFY of folders on another node, too, from the next change', async () => {
  for (const [way, command] of [['counts', 'STATUS INBOX (HIGHESTMODSEQ)'], ['opens', 'SELECT INBOX (CONDSTORE)'], ['searches', 'UID SEARCH MODSEQ 1']] as const) {
    const both = await pair(cluster, way, 'lr');
    const { guest, inbox, ownerAddress } = both;
    await demandOk(guest, 'SELECT INBOX');
    await demandOk(guest, `NOTIFY SET (mailboxes ${inbox} (MessageNew MessageExpunge FlagChange))`);
    await deliverTo(cluster, ['be2', ownerAddress], 'one');
    await guest.expect(/^\* STATUS "[^"]*\/INBOX" \((?!.*HIGHESTMODSEQ).*\)$/);
    await demandOk(guest, command);
    await deliverTo(cluster, ['be2', ownerAddress], 'two');
    await guest.expect(/^\* STATUS "[^"]*\/INBOX" \(.*HIGHESTMODSEQ \d+.*\)$/);
    close(both);
  }
});

test('a node that says nothing is told as missing once, and not waited for again whatever else the client does', async () => {
  const both = await pair(cluster, 'mute', 'lr');
  const { guest, inbox } = both;
  cluster.road.behaviour = { kind: 'hang' };
  const told = await demandOk(guest, `NOTIFY SET (personal (MailboxName)) (mailboxes ${inbox} (MessageNew MessageExpunge))`);
  assert.match(told.join(), /^\* NO \[UNAVAILABLE\] nothing is told of the folders of mute-owner@example\.com until [^,]*$/);
  const tried = cluster.road.accepted;
  for (const command of ['CREATE a', 'SUBSCRIBE a', 'DELETE a', 'ENABLE CONDSTORE', 'NOOP']) await demandOk(guest, command);
  assert.equal(cluster.road.accepted, tried);
  cluster.road.behaviour = { kind: 'pass' };
  close(both);
});
