/** NOTIFY (RFC 5465) of folders whose owner's account moves: away from the reader's node, hither, or from one other node to a third: everything is told once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dialogue } from '../../harness/dialogue.ts';
import { moveAccount } from './account-moves.ts';
import { messageAbout } from './conversation.ts';
import { deliver } from './harness.ts';
import { accountOn } from './pairs.ts';
import { demandOk, startThreeNodes } from './two-nodes.ts';
import type { AnyNode, ThreeNodes } from './two-nodes.ts';

let cluster: ThreeNodes;
before(async () => {
  cluster = await startThreeNodes();
});
after(async () => cluster.stop());

interface Stage {
  readonly reader: Dialogue;
  readonly ownerAddress: string;
  readonly readerAddress: string;
  /** As the reader calls it. */
  readonly folder: (name: string) => string;
  readonly deliverAt: (node: AnyNode, mailbox: string) => Promise<void>;
}

/** A reader on be1, and an owner with folders of these rights. */
async function stage(name: string, node: AnyNode, folders: Readonly<Record<string, string>>): Promise<Stage> {
  const [ownerAddress, readerAddress] = [`${name}-owner@example.com`, `${name}-reader@example.com`];
  (await cluster.logIn(node, ownerAddress)).close();
  const account = accountOn(cluster, node, ownerAddress);
  for (const [mailbox, rights] of Object.entries(folders)) {
    await account.createMailbox(mailbox);
    await account.changeRights(mailbox, readerAddress, (entry) => ({ ...entry, allow: rights }));
  }
  return {
    reader: await cluster.logIn('be1', readerAddress), ownerAddress, readerAddress,
    folder: (mailbox) => `"Other Users/${ownerAddress}/${mailbox}"`,
    deliverAt: async (at, mailbox) => deliver({ storage: cluster.nodes[at].storage, address: ownerAddress, mailbox }, messageAbout('x')),
  };
}

/** What is told until so many STATUS responses were. */
async function told(reader: Dialogue, statuses: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.filter((line) => line.startsWith('* STATUS')).length < statuses) lines.push((await reader.line()).replace(/UIDVALIDITY \d+/, 'UIDVALIDITY 1'));
  return lines;
}

/** The old node says so to who watches there, which is no news to the reader. */
async function goodbyeOf(node: AnyNode, { reader, ownerAddress }: Pick<Stage, 'reader' | 'ownerAddress'>): Promise<void> {
  const { hints, storage } = cluster.nodes[node];
  hints.silence = 'no';
  hints.publish({ account: storage.transfers.leaving.snapshot(ownerAddress).id });
  for (let times = 0; times < 5; times += 1) {
    assert.deepEqual(await demandOk(reader, 'NOOP'), []);
    await sleep(150);
  }
}

test('An account that moves away from the node of the reader: NOTIFY goes on, none of its folders is told as out of reach, and what happened on the way is told once.', { timeout: 60_000 }, async () => {
  const { reader, ownerAddress, folder, deliverAt } = await stage('away', 'be1', { Team: 'lr', 'Team/Closed': 'l', 'Team/Old': 'lr' });
  assert.deepEqual(await demandOk(reader, `NOTIFY SET (subtree ${folder('Team')} (MailboxName MessageNew MessageExpunge MailboxMetadataChange))`), [`* LIST (\\NoAccess) "/" ${folder('Team/Closed')}`]);
  await deliverAt('be1', 'Team');
  await reader.expect(/^\* STATUS "[^"]*\/Team" \(MESSAGES 1 UIDNEXT 2\)$/);
  await moveAccount(cluster, ownerAddress, {
    from: 'be1', to: 'be2',
    sealed: async () => {
      assert.deepEqual(await demandOk(reader, 'NOOP'), [], 'nobody keeps it for the moment');
    },
  });
  assert.deepEqual(await told(reader, 2), [`* STATUS ${folder('Team')} (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1)`, `* STATUS ${folder('Team/Old')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`]);
  await deliverAt('be2', 'Team/Old');
  await reader.expect(/^\* STATUS "[^"]*\/Team\/Old" \(MESSAGES 1 UIDNEXT 2\)$/);
  assert.deepEqual(await demandOk(reader, 'NOOP'), []);
  reader.close();
});

test('What others do to names, rights, annotations and messages while an account moves away is told once it is at the new node.', { timeout: 60_000 }, async () => {
  const { reader, ownerAddress, readerAddress, folder, deliverAt } = await stage('busy', 'be1', { Team: 'lr', 'Team/Closed': 'l', 'Team/Old': 'lr', 'Team/Gone': 'lr', 'Team/Taken': 'lr' });
  await demandOk(reader, `NOTIFY SET (subtree ${folder('Team')} (MailboxName MessageNew MessageExpunge MailboxMetadataChange))`);
  const { hints } = cluster.nodes.be1;
  hints.silence = 'yes';
  await moveAccount(cluster, ownerAddress, { from: 'be1', to: 'be2' });
  const account = accountOn(cluster, 'be2', ownerAddress);
  await account.renameMailbox('Team/Old', 'Team/New');
  await account.deleteMailbox('Team/Gone');
  await account.changeRights('Team/Taken', readerAddress, (entry) => ({ ...entry, allow: 'l' }));
  await account.changeRights('Team/Closed', readerAddress, (entry) => ({ ...entry, allow: 'lr' }));
  await account.annotations.set({ mailbox: account.mailbox('Team')?.id ?? 0 }, { values: new Map([['/shared/comment', Buffer.from('new')]]) });
  await deliverAt('be2', 'Team/New');
  hints.silence = 'no';
  hints.publish({ account: account.id });
  assert.deepEqual(await told(reader, 3), [
    `* LIST (\\HasChildren) "/" ${folder('Team')}`, `* LIST (\\NonExistent \\HasNoChildren) "/" ${folder('Team/Gone')}`,
    `* LIST (\\HasNoChildren) "/" ${folder('Team/New')} ("OLDNAME" (${folder('Team/Old')}))`,
    `* LIST (\\NoAccess) "/" ${folder('Team/Taken')}`, `* LIST () "/" ${folder('Team/Closed')}`, `* METADATA ${folder('Team')} /shared/comment`,
    `* STATUS ${folder('Team')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`, `* STATUS ${folder('Team/Closed')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`, `* STATUS ${folder('Team/New')} (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1)`,
  ]);
  await deliverAt('be2', 'Team/Taken');
  await account.changeRights('Team/Taken', readerAddress, (entry) => ({ ...entry, allow: 'lr' }));
  await reader.expect(/^\* LIST \(\) "\/" "[^"]*\/Taken"$/);
  await reader.expect(/^\* STATUS "[^"]*\/Taken" \(MESSAGES 1 UIDNEXT 2\)$/);
  assert.deepEqual(await demandOk(reader, 'NOOP'), []);
  reader.close();
});

test('An account that moves from one other node to a third: what happens before, on the way and afterwards is told once each, and nothing as missing; also to who means all that others share.', { timeout: 60_000 }, async () => {
  for (const [name, meant] of [['third', 'Other Users/third-owner@example.com/Team'], ['any', 'Other Users']] as const) {
    const { reader, ownerAddress, readerAddress, folder, deliverAt } = await stage(name, 'be2', { Team: 'lr', 'Team/Old': 'lr', 'Team/Older': 'lr', 'Team/Taken': 'lr', 'Team/Lost': 'lr' });
    await demandOk(reader, `NOTIFY SET (subtree "${meant}" (MailboxName MessageNew MessageExpunge))`);
    await deliverAt('be2', 'Team');
    await reader.expect(/^\* STATUS "[^"]*\/Team" \(MESSAGES 1 UIDNEXT 2\)$/);
    await moveAccount(cluster, ownerAddress, {
    from: 'be2', to: 'be3',
      copied: async () => {
        await accountOn(cluster, 'be2', ownerAddress).renameMailbox('Team/Old', 'Team/Before');
        await reader.expect(/^\* LIST \(\\HasNoChildren\) "\/" "[^"]*\/Team\/Before" \("OLDNAME" \("[^"]*\/Team\/Old"\)\)$/);
        cluster.nodes.be2.hints.silence = 'yes'; // the last changes before the seal are told by the new node
        await accountOn(cluster, 'be2', ownerAddress).renameMailbox('Team/Older', 'Team/New');
        await accountOn(cluster, 'be2', ownerAddress).changeRights('Team/Taken', readerAddress, (entry) => ({ ...entry, allow: '' }));
        await accountOn(cluster, 'be2', ownerAddress).changeRights('Team/Lost', readerAddress, (entry) => ({ ...entry, allow: 'l' }));
        for (const mailbox of ['Team', 'Team/Before']) await deliverAt('be2', mailbox);
      },
      sealed: async () => goodbyeOf('be2', { reader, ownerAddress }),
    });
    const lines = await told(reader, 3);
    assert.deepEqual(lines.filter((line) => line.startsWith('* LIST')), [
      `* LIST (\\HasChildren) "/" ${folder('Team')}`, `* LIST (\\NonExistent \\HasNoChildren) "/" ${folder('Team/Taken')}`,
      `* LIST (\\HasNoChildren) "/" ${folder('Team/New')} ("OLDNAME" (${folder('Team/Older')}))`, `* LIST (\\NoAccess) "/" ${folder('Team/Lost')}`,
    ]);
    assert.deepEqual(lines.filter((line) => line.startsWith('* STATUS')).sort(), [
      `* STATUS ${folder('Team')} (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1)`, `* STATUS ${folder('Team/Before')} (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1)`, `* STATUS ${folder('Team/New')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`,
    ]);
    assert.equal(lines.length, 7);
    await deliverAt('be3', 'Team/New');
    await reader.expect(/^\* STATUS "[^"]*\/Team\/New" \(MESSAGES 1 UIDNEXT 2\)$/);
    assert.deepEqual(await demandOk(reader, 'NOOP'), []);
    reader.close();
  }
});

test('An account that moves hither is not told as missing for the moment in which nobody keeps it; what became different on the way is told once, as is what stays out of reach when it is not any more.', { timeout: 60_000 }, async () => {
  const { reader, ownerAddress, readerAddress, folder, deliverAt } = await stage('hither', 'be2', { Team: 'lr', Closed: 'l', Old: 'lr' });
  for (const name of ['Team', 'Closed', 'Old']) await demandOk(reader, `SUBSCRIBE ${folder(name)}`);
  assert.deepEqual(await demandOk(reader, `NOTIFY SET (subscribed (MessageNew MessageExpunge MailboxName MailboxMetadataChange)) (mailboxes ${folder('New')} (MailboxName MessageNew MessageExpunge))`), [`* LIST (\\NoAccess \\Subscribed) "/" ${folder('Closed')}`]);
  await moveAccount(cluster, ownerAddress, {
    from: 'be2', to: 'be1',
    copied: async () => {
      cluster.nodes.be2.hints.silence = 'yes'; // the last changes before the seal are told by the new node
      await deliverAt('be2', 'Team');
      await accountOn(cluster, 'be2', ownerAddress).renameMailbox('Old', 'New');
    },
    sealed: async () => goodbyeOf('be2', { reader, ownerAddress }),
  });
  assert.deepEqual(await told(reader, 2), [
    `* LIST (\\HasNoChildren) "/" ${folder('New')} ("OLDNAME" (${folder('Old')}))`,
    `* STATUS ${folder('New')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`, `* STATUS ${folder('Team')} (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1)`,
  ]);
  await deliverAt('be1', 'Closed');
  await accountOn(cluster, 'be1', ownerAddress).changeRights('Closed', readerAddress, (entry) => ({ ...entry, allow: 'lr' }));
  await reader.expect(/^\* LIST \(\\Subscribed\) "\/" "[^"]*\/Closed"$/);
  await reader.expect(/^\* STATUS "[^"]*\/Closed" \(MESSAGES 1 UIDNEXT 2\)$/);
  await deliverAt('be1', 'New');
  await reader.expect(/^\* STATUS "[^"]*\/New" \(MESSAGES 1 UIDNEXT 2\)$/);
  assert.deepEqual(await demandOk(reader, 'NOOP'), []);
  await moveAccount(cluster, ownerAddress, { from: 'be1', to: 'be2' });
  assert.deepEqual((await told(reader, 3)).filter((line) => !line.startsWith('* STATUS')), [], 'and back');
  assert.deepEqual(await demandOk(reader, 'NOOP'), []);
  reader.close();
});

test('An account that is on the node of the reader before the other node has said goodbye is not told as new.', { timeout: 60_000 }, async () => {
  const { reader, ownerAddress, folder } = await stage('early', 'be2', { Team: 'lr' });
  await demandOk(reader, `NOTIFY SET (subtree ${folder('Team')} (MailboxName MessageNew MessageExpunge)) (personal (MailboxName))`);
  cluster.nodes.be2.hints.silence = 'yes';
  await moveAccount(cluster, ownerAddress, { from: 'be2', to: 'be1' });
  const lines = await demandOk(reader, 'CREATE a'); // by which it looks
  assert.deepEqual(lines.map((line) => line.replace(/UIDVALIDITY \d+/, 'UIDVALIDITY 1')), [`* STATUS ${folder('Team')} (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)`]);
  cluster.nodes.be2.hints.silence = 'no';
  await goodbyeOf('be2', { reader, ownerAddress });
  reader.close();
});
