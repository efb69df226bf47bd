/** Messages that are put together or replaced in a folder on another node (RFC 4469, RFC 8508), and uids alone from there (RFC 9586). */
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
