/** Message numbers in a mailbox on another node mean what the client knows when it gives the command, also where the nodes talk before. */
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

test('MOVE by numbers takes the messages that the client means, though others have gone meanwhile of which it has not heard', async () => {
  const [ownerAddress, guestAddress] = ['numbers-owner@example.com', 'numbers-guest@example.com'];
  const [owner, guest] = [await cluster.logIn('be2', ownerAddress), await cluster.logIn('be1', guestAddress)];
  await demandOk(owner, `SETACL INBOX ${guestAddress} lrswite`);
  for (const subject of ['first', 'second', 'third']) await deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox: 'INBOX' }, messageAbout(subject));
  await demandOk(guest, `SELECT "Other Users/${ownerAddress}/INBOX"`);
  await demandOk(owner, 'SELECT INBOX');
  await demandOk(owner, 'STORE 1 +FLAGS.SILENT (\\Deleted)');
  await demandOk(owner, 'EXPUNGE');
  const moved = await demandOk(guest, 'MOVE 2 INBOX');
  assert.ok(moved.some((line) => /^\* OK \[COPYUID \d+ 2 1\] moved$/.test(line)), moved.join('\n'));
  assert.deepEqual(await demandOk(guest, 'UID FETCH 1:* (UID)'), ['* 1 FETCH (UID 3)']);
  await demandOk(owner, `SETACL INBOX ${guestAddress} lrsw`);
  assert.match((await ask(guest, 'MOVE 1 INBOX')).end, /^NO \[NOPERM\]/);
  await demandOk(guest, 'SELECT INBOX');
  assert.equal((await demandOk(guest, 'UID FETCH 1:* (UID)')).length, 1, 'nothing came of the refused one');
  for (const dialogue of [owner, guest]) dialogue.close();
});
