/** NOTIFY (RFC 5465) of folders whose owner's account moves to the reader's node: what did not change on the way is told neither as gone nor as new. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { messageAbout } from './conversation.ts';
import { deliver } from './harness.ts';
import { accountOn, close, pair } from './pairs.ts';
import { demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes({ idleRecheckMs: 400 });
});
after(async () => cluster.stop());

/** Brings an account without messages to be1, with all its ids; be2 does not say so yet. */
async function bringOver(address: string): Promise<void> {
  const { leaving } = cluster.nodes.be2.storage.transfers;
  const { arriving } = cluster.nodes.be1.storage.transfers;
  const account = accountOn(cluster, 'be2', address);
  const snapshot = leaving.snapshot(address);
  await arriving.begin(address, { from: 'be2', id: account.id, epoch: account.epoch + 1, holder: '' });
  await arriving.shape(address, snapshot);
  for (const mailbox of snapshot.mailboxes) await arriving.apply(address, { mailbox, page: { ...leaving.changes(address, mailbox.id, { since: 0, limit: 100 }) }, arrived: [], gone: new Set() });
  await arriving.complete(address, leaving.snapshot(address));
  await arriving.activate(address);
}

test('NOTIFY goes on with the folders of an account that moved to the node of the reader: it tells what became different on the way, and how they are', { timeout: 60_000 }, async () => {
  const both = await pair(cluster, 'hither', 'lr');
  const { owner, guest, ownerAddress, guestAddress } = both;
  const folder = (name: string): string => `"Other Users/${ownerAddress}/${name}"`;
  for (const name of ['Team', 'Team/Old']) {
    await demandOk(owner, `CREATE ${name}`);
    await demandOk(owner, `SETACL ${name} ${guestAddress} lr`);
  }
  await demandOk(guest, `NOTIFY SET (subtree ${folder('Team')} (MailboxName MessageNew MessageExpunge MailboxMetadataChange))`);
  const { epoch } = accountOn(cluster, 'be2', ownerAddress);
  await bringOver(ownerAddress);
  const account = accountOn(cluster, 'be1', ownerAddress);
  await account.renameMailbox('Team/Old', 'Team/New');
  await cluster.nodes.be2.storage.markMoved(ownerAddress, 'be1', epoch + 1);
  const told: string[] = [];
  while (told.filter((line) => line.startsWith('* STATUS')).length < 2) told.push((await guest.line()).replace(/UIDVALIDITY \d+/, 'UIDVALIDITY 1'));
  assert.deepEqual(told, [
    `* LIST (\\HasNoChildren) "/" ${folder('Team/New')} ("OLDNAME" (${folder('Team/Old')}))`,
    `* STATUS ${folder('Team')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`, `* STATUS ${folder('Team/New')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`,
  ]);
  await deliver({ storage: cluster.nodes.be1.storage, address: ownerAddress, mailbox: 'Team/New' }, messageAbout('x'));
  await guest.expect(/^\* STATUS "[^"]*\/Team\/New" \(MESSAGES 1 UIDNEXT 2\)$/);
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  close(both);
});
