/** What NOTIFY (RFC 5465) tells of folders of an owner whose node was away for a while: that news are missing, and then what became different. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { close, deliverTo, pair } from './pairs.ts';
import { demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes({ otherNodePatienceMs: 500, idleRecheckMs: 400 });
});
after(async () => cluster.stop());

test('NOTIFY says of whose folders nothing is told, once, and how they are as soon as their node is back', async () => {
  const both = await pair(cluster, 'watch', 'lr');
  const { guest, inbox, ownerAddress } = both;
  await demandOk(guest, `NOTIFY SET (mailboxes ${inbox} (MessageNew MessageExpunge))`);
  await cluster.road.refuse();
  await guest.expect(/^\* NO \[UNAVAILABLE\] nothing is told of the folders of watch-owner@example\.com until/);
  await deliverTo(cluster, ['be2', ownerAddress], 'missed');
  await cluster.road.accept();
  await guest.expect(/^\* STATUS "Other Users\/watch-owner@example\.com\/INBOX" \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+\)$/);
  await deliverTo(cluster, ['be2', ownerAddress], 'told');
  await guest.expect(/^\* STATUS "Other Users\/watch-owner@example\.com\/INBOX" \(MESSAGES 2 UIDNEXT 3\)$/);
  cluster.road.behaviour = { kind: 'hang' };
  await guest.expect(/^\* NO \[UNAVAILABLE\] nothing is told/);
  cluster.road.behaviour = { kind: 'pass' };
  await guest.expect(/^\* STATUS .*MESSAGES 2 /);
  assert.deepEqual(await demandOk(guest, 'NOTIFY NONE'), []);
  close(both);
});

test('NOTIFY tells what became of names and rights while the node was away, and nothing of what did not change; that the account was deleted, too', async () => {
  const both = await pair(cluster, 'names', 'lr');
  const { owner, guest, ownerAddress, guestAddress } = both;
  const folder = (name: string): string => `"Other Users/${ownerAddress}/${name}"`;
  for (const name of ['Team', 'Team/Closed', 'Team/Old', 'Team/Stays', 'Team/"x']) await demandOk(owner, `CREATE "${name.replace('"', '\\"')}"`);
  for (const name of ['Team', 'Team/Closed', 'Team/Old', 'Team/Stays']) await demandOk(owner, `SETACL ${name} ${guestAddress} lr`);
  await demandOk(guest, `SUBSCRIBE ${folder('Team/Closed')}`);
  assert.deepEqual(await demandOk(guest, `NOTIFY SET (subtree ${folder('Team')} (MailboxName MessageNew MessageExpunge))`), []);
  await demandOk(owner, 'CREATE Team/Known');
  await guest.until(/Team\/Known"$/);
  await cluster.road.refuse();
  await guest.expect(/^\* NO \[UNAVAILABLE\]/);
  await demandOk(owner, 'RENAME Team/Old Team/New');
  await demandOk(owner, 'DELETE Team/Known');
  await demandOk(owner, `SETACL Team/Closed ${guestAddress} l`);
  await cluster.road.accept();
  const told: string[] = [];
  for (let line = await guest.line(); ; line = await guest.line()) {
    told.push(line);
    if (line.startsWith(`* STATUS ${folder('Team/Stays')}`)) break;
  }
  assert.deepEqual(told.filter((line) => line.startsWith('* LIST')), [
    `* LIST (\\HasChildren) "/" ${folder('Team')}`, `* LIST (\\NonExistent \\HasNoChildren) "/" ${folder('Team/Known')}`,
    `* LIST (\\HasNoChildren) "/" ${folder('Team/New')} ("OLDNAME" (${folder('Team/Old')}))`, `* LIST (\\NoAccess \\Subscribed) "/" ${folder('Team/Closed')}`,
  ]);
  assert.match(told[0] ?? '', /^\* LIST/, 'names before messages');
  await demandOk(guest, 'NOOP');
  await cluster.nodes.be2.storage.lives.withdraw(ownerAddress, 'deleted');
  const gone = new Set([folder('Team'), folder('Team/Closed'), folder('Team/New'), folder('Team/Stays')]);
  while (gone.size > 0) {
    const [, name] = /^\* LIST \(\\NonExistent .*\) "\/" ("[^"]*")$/.exec(await guest.line()) ?? [];
    if (name !== undefined) gone.delete(name);
  }
  close(both);
});

test('NOTIFY tells which annotations changed while the node was away, and none that were told before or that the client set itself', async () => {
  const both = await pair(cluster, 'annotated', 'lr');
  const { owner, guest, ownerAddress, guestAddress } = both;
  const folder = (name: string): string => `"Other Users/${ownerAddress}/${name}"`;
  for (const name of ['Team', 'Team/Other', 'Team/Gone']) {
    await demandOk(owner, `CREATE ${name}`);
    await demandOk(owner, `SETACL ${name} ${guestAddress} lrw`);
    await demandOk(owner, `SETMETADATA ${name} (/shared/comment "first" /shared/vendor/waybill/x "first")`);
  }
  await demandOk(guest, `NOTIFY SET (subtree ${folder('Team')} (MailboxMetadataChange))`);
  await demandOk(owner, 'SETMETADATA Team (/shared/comment "told")');
  await guest.expect(/^\* METADATA "[^"]*\/Team" \/shared\/comment$/);
  assert.deepEqual(await demandOk(guest, `SETMETADATA ${folder('Team/Other')} (/private/comment "own")`), []);
  await demandOk(guest, 'NOOP');
  await sleep(500); // a session looks ten times a second at most
  await demandOk(guest, 'NOOP');
  await cluster.road.refuse();
  await guest.expect(/^\* NO \[UNAVAILABLE\]/);
  await demandOk(owner, 'SETMETADATA Team (/shared/vendor/waybill/x NIL /shared/vendor/waybill/y "new")');
  await demandOk(owner, 'RENAME Team/Gone Elsewhere');
  await cluster.road.accept();
  const told: string[] = [];
  for (let line = await guest.line(); ; line = await guest.line()) {
    told.push(line);
    if (line.startsWith('* METADATA')) break;
  }
  assert.deepEqual(told, [`* LIST (\\NoAccess) "/" ${folder('Team/Gone')}`, `* METADATA ${folder('Team')} /shared/vendor/waybill/x /shared/vendor/waybill/y`]);
  await demandOk(owner, 'SETMETADATA Team/Other (/shared/comment "last")');
  assert.equal(await guest.line(), `* METADATA ${folder('Team/Other')} /shared/comment`);
  close(both);
});
