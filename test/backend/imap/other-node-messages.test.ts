/** Messages that are put together or replaced in a folder on another node (RFC 4469, RFC 8508), and uids alone from there (RFC 9586); what is enabled or copied while such a folder is open. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { messageAbout } from './conversation.ts';
import { deliver } from './harness.ts';
import { ask, demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes();
});
after(async () => cluster.stop());

test('CATENATE and REPLACE go to another node as they come, and uids alone are told from there, too', async () => {
  const [ownerAddress, guestAddress] = ['owner@example.com', 'guest@example.com'];
  const [owner, guest] = [await cluster.logIn('be2', ownerAddress), await cluster.logIn('be1', guestAddress)];
  await demandOk(owner, `SETACL INBOX ${guestAddress} lrsite`);
  await deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox: 'INBOX' }, messageAbout('old'));
  await deliver({ storage: cluster.nodes.be1.storage, address: guestAddress, mailbox: 'INBOX' }, messageAbout('draft'));
  const inbox = `"Other Users/${ownerAddress}/INBOX"`;
  const part = `/Other%20Users/${ownerAddress}/INBOX/;UID=1/;SECTION=TEXT`;
  guest.sayRaw(`u APPEND ${inbox} CATENATE (TEXT {10+}\r\nSubject: x URL "${part}" TEXT {2}\r\n`);
  await guest.expect(/^\+ /);
  guest.sayRaw('ab)\r\n');
  await guest.expect(/^u OK \[APPENDUID \d+ 2\]/);
  assert.match((await ask(guest, `APPEND ${inbox} CATENATE (URL "${part}")`)).end, /^OK \[APPENDUID \d+ 3\]/);
  assert.match((await ask(guest, `APPEND ${inbox} CATENATE (URL "/INBOX/;UID=1")`)).end, /^NO \[BADURL /, 'that node has not got it');
  await demandOk(guest, `SELECT ${inbox}`);
  guest.sayRaw(`u UID REPLACE 1 ${inbox} {4}\r\n`);
  await guest.expect(/^\+ /);
  guest.sayRaw('a: b\r\n');
  for (const line of [/^\* OK \[APPENDUID \d+ 4\]/, /^\* 1 EXPUNGE/, /^\* 3 EXISTS/, /^u OK/]) await guest.expect(line);
  await demandOk(guest, 'SELECT INBOX');
  guest.sayRaw(`u REPLACE 1 ${inbox} {4+}\r\nc: d\r\nv REPLACE 1 ${inbox} {4+}\r\nc: d\r\n`);
  for (const line of [/^\* OK \[APPENDUID \d+ 5\]/, /^\* 1 EXPUNGE/, /^u OK/, /^v (?:BAD|NO)/]) await guest.expect(line);
  await demandOk(guest, 'ENABLE UIDONLY');
  await demandOk(guest, `SELECT ${inbox}`);
  assert.deepEqual((await demandOk(guest, 'UID FETCH 2:* RFC822.SIZE')).map((line) => line.slice(0, 12)), [2, 3, 4, 5].map((uid) => `* ${String(uid)} UIDFETCH`));
  assert.match((await ask(guest, 'FETCH 1 FLAGS')).end, /^BAD \[UIDREQUIRED\]/);
  assert.match((await ask(guest, 'UID COPY 4:5 INBOX')).end, /^OK \[COPYUID \d+ 4:5 2:3\]/);
  owner.close();
  guest.close();
});

test('what a client enables holds on the other node at once, and what comes with that is told', async () => {
  const [ownerAddress, guestAddress] = ['enable-owner@example.com', 'enable-guest@example.com'];
  const [owner, guest] = [await cluster.logIn('be2', ownerAddress), await cluster.logIn('be1', guestAddress)];
  await demandOk(owner, `SETACL INBOX ${guestAddress} lr`);
  for (const subject of ['a', 'b']) await deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox: 'INBOX' }, messageAbout(subject));
  const inbox = `"Other Users/${ownerAddress}/INBOX"`;
  await deliver({ storage: cluster.nodes.be1.storage, address: guestAddress, mailbox: 'INBOX' }, messageAbout('own'));
  const [asks, counts] = [await cluster.logIn('be1', guestAddress), await cluster.logIn('be1', guestAddress)];
  await demandOk(asks, `SELECT ${inbox}`);
  await demandOk(asks, 'FETCH 1 (MODSEQ)');
  await demandOk(asks, 'SELECT INBOX');
  assert.match((await demandOk(asks, 'STORE 1 +FLAGS (\\Seen)'))[0] ?? '', /^\* 1 FETCH \(UID 1 FLAGS \(\\Seen\) MODSEQ \(\d+\)\)$/);
  await demandOk(counts, 'SELECT INBOX');
  assert.match((await demandOk(counts, `STATUS ${inbox} (MAILBOXID HIGHESTMODSEQ)`))[0] ?? '', /^\* OK \[HIGHESTMODSEQ \d+\] mod-sequences/);
  await demandOk(guest, `SELECT ${inbox}`);
  const enabled = await demandOk(guest, 'ENABLE QRESYNC');
  assert.ok(enabled.some((line) => line.startsWith('* OK [HIGHESTMODSEQ ')), enabled.join('\n'));
  await demandOk(owner, 'SELECT INBOX');
  await demandOk(owner, 'STORE 1 +FLAGS (\\Deleted)');
  await demandOk(owner, 'EXPUNGE');
  const told = await demandOk(guest, `STATUS ${inbox} (MESSAGES)`);
  assert.ok(told.includes('* VANISHED 1'), told.join('\n'));
  const [vanished] = await demandOk(guest, 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)');
  assert.equal(vanished, '* VANISHED (EARLIER) 1');
  await demandOk(guest, `SETMETADATA ${inbox} (/private/comment ~{3+}\r\na\0b)`);
  for (const dialogue of [owner, guest, asks, counts]) dialogue.close();
});

test('what is copied from another node is no news, and nobody hears what became of it in a folder that he may not read', async () => {
  const [ownerAddress, guestAddress, dropAddress] = ['from-owner@example.com', 'from-guest@example.com', 'drop-owner@example.com'];
  const [owner, guest, drop] = [await cluster.logIn('be2', ownerAddress), await cluster.logIn('be1', guestAddress), await cluster.logIn('be1', dropAddress)];
  await demandOk(owner, `SETACL INBOX ${guestAddress} lrte`);
  await demandOk(drop, `SETACL INBOX ${guestAddress} li`);
  for (const subject of ['a', 'b']) await deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox: 'INBOX' }, messageAbout(subject));
  await demandOk(guest, `SELECT "Other Users/${ownerAddress}/INBOX"`);
  await demandOk(guest, 'NOTIFY SET (personal (MessageNew MessageExpunge))');
  const own = await ask(guest, 'COPY 1 INBOX');
  assert.deepEqual([own.lines, /^OK \[COPYUID \d+ 1 1\]/.test(own.end)], [[], true], own.end);
  assert.deepEqual(await ask(guest, `COPY 1 "Other Users/${dropAddress}/INBOX"`), { lines: [], end: 'OK COPY completed' });
  assert.deepEqual(await ask(guest, `UID MOVE 2 "Other Users/${dropAddress}/INBOX"`), { lines: ['* 2 EXPUNGE'], end: 'OK MOVE completed' });
  assert.ok((await demandOk(drop, 'STATUS INBOX (MESSAGES)')).includes('* STATUS INBOX (MESSAGES 2)'));
  const international = Buffer.from('Subject: Gr\u00fc\u00dfe\r\n\r\nbody\r\n');
  for (const bytes of [international, messageAbout('plain')]) await deliver({ storage: cluster.nodes.be1.storage, address: guestAddress, mailbox: 'Drafts' }, bytes);
  await demandOk(owner, `SETACL INBOX ${guestAddress} lri`);
  await demandOk(guest, 'SELECT Drafts');
  const inbox = `"Other Users/${ownerAddress}/INBOX"`;
  assert.match((await ask(guest, `COPY 1:2 ${inbox}`)).end, /^OK \[COPYUID \d+ 1:2 3:4\]/);
  assert.match((await ask(guest, `APPEND ${inbox} {${String(international.length)}+}\r\n${international.toString('latin1')}`)).end, /^NO \[CANNOT\]/, 'who appends says first that he knows UTF-8');
  for (const dialogue of [owner, guest, drop]) dialogue.close();
});
