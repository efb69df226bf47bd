/** Folders of owners who live on another node: opened, read, changed, searched and heard of from there, by the rights that the owner's node knows. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { messageAbout } from './conversation.ts';
import { deliver } from './harness.ts';
import { accountOn, close, deliverTo, pair } from './pairs.ts';
import { ask, demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes({ otherNodePatienceMs: 500 });
});
after(async () => cluster.stop());

test('a folder on another node is listed, opened, read and changed as far as its node allows', async () => {
  const both = await pair(cluster, 'open', 'lrs');
  const { guest, inbox, ownerAddress } = both;
  await deliverTo(cluster, ['be2', ownerAddress], 'one');
  assert.deepEqual(await demandOk(guest, 'LIST "" "Other Users/*" RETURN (MYRIGHTS STATUS (MESSAGES))'), [
    `* LIST (\\NonExistent \\HasChildren) "/" "Other Users/${ownerAddress}"`, `* LIST (\\HasNoChildren) "/" ${inbox}`, `* MYRIGHTS ${inbox} lrs`, `* STATUS ${inbox} (MESSAGES 1)`,
  ]);
  assert.deepEqual(await demandOk(guest, `SUBSCRIBE ${inbox}`), []);
  assert.deepEqual(await demandOk(guest, 'LSUB "" "Other*"'), [`* LSUB () "/" ${inbox}`]);
  assert.match((await ask(guest, `SUBSCRIBE "Other Users/${ownerAddress}/Sent"`)).end, /^NO \[NONEXISTENT\]/);
  const selected = await demandOk(guest, `SELECT ${inbox}`);
  assert.ok(selected.includes('* 1 EXISTS') && selected.some((line) => line.startsWith('* OK [PERMANENTFLAGS (\\Seen)]')), selected.join('\n'));
  const fetched = await demandOk(guest, 'FETCH 1 (UID FLAGS BODY[TEXT])');
  assert.equal(fetched.join('\n'), '* 1 FETCH (UID 1 FLAGS (\\Recent \\Flagged \\Seen $Work) BODY[TEXT] {14}\nBody of one.\n)');
  assert.match((await ask(guest, 'STORE 1 +FLAGS (\\Deleted)')).end, /^NO \[NOPERM\]/);
  assert.deepEqual(await demandOk(guest, 'UID SEARCH SUBJECT {3+}\r\none'), ['* SEARCH 1']);
  assert.match((await ask(guest, 'FETCH 7 FLAGS')).end, /^BAD/);
  assert.match((await ask(guest, `APPEND ${inbox} {3}`)).end, /^NO \[NOPERM\]/);
  assert.deepEqual(await demandOk(guest, `MYRIGHTS ${inbox}`), [`* MYRIGHTS ${inbox} lrs`]);
  assert.match((await ask(guest, `GETACL ${inbox}`)).end, /^NO \[NOPERM\]/);
  assert.match((await ask(guest, `SELECT "Other Users/${ownerAddress}/Sent"`)).end, /^NO \[NONEXISTENT\]/);
  assert.match((await ask(guest, 'FETCH 1 FLAGS')).end, /^BAD FETCH is not allowed now/);
  close(both);
});

test('news of a folder on another node come in IDLE and with the next command, whichever that is', async () => {
  const both = await pair(cluster, 'news', 'lr');
  const { guest, inbox, ownerAddress } = both;
  await demandOk(guest, `SELECT ${inbox}`);
  guest.say('i IDLE');
  await guest.expect(/^\+ /);
  await deliverTo(cluster, ['be2', ownerAddress], 'one');
  await guest.until(/^\* 1 EXISTS$/);
  guest.say('DONE');
  await guest.until(/^i OK/);
  await deliverTo(cluster, ['be2', ownerAddress], 'two');
  assert.ok((await demandOk(guest, 'STATUS INBOX (MESSAGES)')).includes('* 2 EXISTS'));
  await deliverTo(cluster, ['be2', ownerAddress], 'three');
  assert.ok((await demandOk(guest, 'NOOP')).includes('* 3 EXISTS'));
  assert.ok((await demandOk(guest, 'SELECT INBOX'))[0]?.startsWith('* OK [CLOSED]'));
  await deliverTo(cluster, ['be2', ownerAddress], 'four');
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  close(both);
});

test('news of a folder on another node come between commands, too, where NOTIFY asks for it; its annotations are read and set from here', async () => {
  const both = await pair(cluster, 'notify', 'lr');
  const { owner, guest, inbox, ownerAddress, guestAddress } = both;
  await demandOk(owner, 'SETMETADATA INBOX (/shared/comment "for all" /private/comment "of the owner")');
  assert.deepEqual(await demandOk(guest, `GETMETADATA ${inbox} (/shared/comment /private/comment)`), [`* METADATA ${inbox} (/shared/comment "for all" /private/comment NIL)`]);
  await demandOk(guest, `SETMETADATA ${inbox} (/private/comment {7+}\r\na guest)`);
  assert.deepEqual((await demandOk(guest, `LIST "" ${inbox} RETURN (METADATA (/private/comment))`)).slice(-1), [`* METADATA ${inbox} (/private/comment "a guest")`]);
  await demandOk(guest, 'ENABLE METADATA');
  await demandOk(guest, `SELECT ${inbox}`);
  await demandOk(owner, 'SETMETADATA INBOX (/private/comment "nobody else hears of this")');
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  await demandOk(guest, 'NOTIFY SET (selected (MessageNew MessageExpunge))');
  await deliverTo(cluster, ['be2', ownerAddress], 'one');
  await guest.until(/^\* 1 EXISTS$/);
  await demandOk(guest, 'NOTIFY SET (personal (MessageNew MessageExpunge)) (selected (MessageNew MessageExpunge))');
  guest.say('i IDLE');
  await guest.until(/^\+ /);
  await deliverTo(cluster, ['be1', guestAddress], 'own');
  await guest.until(/^\* STATUS INBOX \(MESSAGES 1 UIDNEXT 2/);
  await deliverTo(cluster, ['be2', ownerAddress], 'two');
  await guest.until(/^\* 2 EXISTS$/);
  guest.say('DONE');
  await guest.until(/^i OK/);
  close(both);
});

test('folders are made, renamed, granted and removed on the node of their owner', async () => {
  const both = await pair(cluster, 'tree', 'lrkxa');
  const { guest, owner, inbox, ownerAddress } = both;
  const below = `"Other Users/${ownerAddress}/INBOX/New"`;
  assert.match((await ask(guest, `CREATE ${below}`)).end, /^OK \[MAILBOXID/);
  await demandOk(guest, `SETACL ${inbox} anyone l`);
  assert.deepEqual(await demandOk(owner, 'GETACL INBOX'), [`* ACL INBOX ${ownerAddress} lrswipkxteacd ${both.guestAddress} lrkxac anyone l`]);
  await demandOk(guest, `RENAME ${below} "Other Users/${ownerAddress}/INBOX/Old"`);
  assert.match((await ask(guest, `RENAME "Other Users/${ownerAddress}/INBOX/Old" Mine`)).end, /^NO/);
  await demandOk(guest, `SELECT "Other Users/${ownerAddress}/INBOX/Old"`);
  const removed = await ask(guest, `DELETE "Other Users/${ownerAddress}/INBOX/Old"`);
  assert.ok(removed.end.startsWith('OK') && removed.lines.some((line) => line.startsWith('* OK [CLOSED]')));
  assert.match((await ask(guest, 'FETCH 1 FLAGS')).end, /^BAD/);
  close(both);
});

test('a right that is taken away closes the folder, which is said with the very command that comes to it, and the session goes on', async () => {
  const both = await pair(cluster, 'taken', 'lr');
  const { guest, owner, inbox, ownerAddress, guestAddress } = both;
  await deliverTo(cluster, ['be2', ownerAddress], 'one');
  await demandOk(guest, `SELECT ${inbox}`);
  await demandOk(owner, `DELETEACL INBOX ${guestAddress}`);
  const { lines, end } = await ask(guest, 'FETCH 1 BODY.PEEK[]');
  assert.equal(end, 'NO [UNAVAILABLE] you may not read the open mailbox any more');
  assert.deepEqual(lines, []);
  assert.match((await ask(guest, `SELECT ${inbox}`)).end, /^NO \[NONEXISTENT\]/);
  await demandOk(guest, 'SELECT INBOX');
  close(both);
});

test('of a folder that its owner deleted it is said that it was deleted', async () => {
  const both = await pair(cluster, 'deleted', 'lr');
  const { guest, owner, ownerAddress, guestAddress } = both;
  const folder = `"Other Users/${ownerAddress}/Gone"`;
  for (const command of ['NOOP', 'FETCH 1 FLAGS']) {
    await demandOk(owner, 'CREATE Gone');
    await demandOk(owner, `SETACL Gone ${guestAddress} lr`);
    await demandOk(guest, `SELECT ${folder}`);
    await demandOk(owner, 'DELETE Gone');
    const { lines, end } = await ask(guest, command);
    assert.ok([...lines, end].some((line) => line.endsWith('NO [UNAVAILABLE] the open mailbox was deleted or replaced')), [...lines, end].join('\n'));
  }
  close(both);
});

test('who asks for news by NOOP alone hears once that a folder is closed to him, and nothing more of it', async () => {
  const both = await pair(cluster, 'polls', 'lr');
  const { guest, owner, inbox, ownerAddress, guestAddress } = both;
  await demandOk(guest, `SELECT ${inbox}`);
  await demandOk(owner, `DELETEACL INBOX ${guestAddress}`);
  await deliverTo(cluster, ['be2', ownerAddress], 'one');
  const lost = ['* NO [UNAVAILABLE] you may not read the open mailbox any more'];
  assert.deepEqual(await demandOk(guest, 'NOOP'), lost);
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  const { lines, end } = await ask(guest, 'FETCH 1 FLAGS');
  assert.match(end, /^NO \[UNAVAILABLE\]/);
  assert.deepEqual(lines, []);
  await demandOk(owner, `SETACL INBOX ${guestAddress} lr`);
  assert.deepEqual((await demandOk(guest, `SELECT ${inbox}`)).filter((line) => /CLOSED|EXISTS/.test(line)), ['* OK [CLOSED] previous mailbox is now closed', '* 1 EXISTS']);
  await demandOk(owner, `DELETEACL INBOX ${guestAddress}`);
  assert.deepEqual(await demandOk(guest, 'NOOP'), lost, 'of each that is opened');
  close(both);
});

test('an account that moved to the node of the guest is found there', async () => {
  const both = await pair(cluster, 'moved', 'lr');
  const { guest, inbox, ownerAddress, guestAddress } = both;
  await demandOk(guest, `SELECT ${inbox}`);
  const account = accountOn(cluster, 'be2', ownerAddress);
  const next = await cluster.nodes.be1.storage.createAccount(ownerAddress);
  await next.changeRights('INBOX', guestAddress, (entry) => ({ ...entry, allow: 'lr' }));
  await deliverTo(cluster, ['be1', ownerAddress], 'after the move');
  await cluster.nodes.be2.storage.markMoved(ownerAddress, 'be1', account.epoch + 1);
  assert.match((await ask(guest, 'FETCH 1 FLAGS')).end, /^NO \[UNAVAILABLE\]/);
  assert.ok((await demandOk(guest, `SELECT ${inbox}`)).includes('* 1 EXISTS'));
  close(both);
});

test('ESEARCH looks into folders on another node together with those here, as far as its node allows', async () => {
  const both = await pair(cluster, 'finds', 'lr');
  const { owner, guest, inbox, ownerAddress, guestAddress } = both;
  const team = `Other Users/${ownerAddress}/Team`;
  for (const name of ['Team', 'Team/Open', 'Team/Hidden', 'Team/Closed']) await demandOk(owner, `CREATE ${name}`);
  for (const [name, rights] of [['Team', 'lr'], ['Team/Open', 'lr'], ['Team/Hidden', 'r'], ['Team/Closed', 'l']]) await demandOk(owner, `SETACL ${name ?? ''} ${guestAddress} ${rights ?? ''}`);
  for (const mailbox of ['INBOX', 'Team', 'Team/Open', 'Team/Hidden', 'Team/Closed']) await deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox }, messageAbout('alpha'));
  await deliverTo(cluster, ['be1', guestAddress], 'alpha');
  const found = async (command: string): Promise<readonly string[]> =>
    (await demandOk(guest, command)).map((line) => /^\* ESEARCH \(TAG "t" MAILBOX "?([^"]*)"? UIDVALIDITY \d+\) UID ALL 1$/.exec(line)?.[1] ?? line);
  assert.deepEqual(await found(`ESEARCH IN (inboxes subtree "${team}") SUBJECT {5+}\r\nalpha`), ['INBOX', team, `${team}/Open`]);
  assert.deepEqual(await found(`ESEARCH IN (mailboxes ("${team}/Hidden" "${team}/Closed" "${team}/None" "Other Users/nobody@example.com/x")) SUBJECT alpha`), [`${team}/Hidden`]);
  assert.deepEqual(await found(`ESEARCH IN (subtree-one "${team}" mailboxes ("${team}" ${inbox})) SUBJECT alpha`), [`Other Users/${ownerAddress}/INBOX`, team, `${team}/Open`]);
  assert.deepEqual(await found('ESEARCH IN (subtree "Other Users") SUBJECT alpha'), [`Other Users/${ownerAddress}/INBOX`, team, `${team}/Open`]);
  await demandOk(guest, `SUBSCRIBE "${team}"`);
  assert.deepEqual(await found('ESEARCH IN (subscribed) SUBJECT alpha'), ['INBOX', team]);
  assert.match((await ask(guest, `ESEARCH IN (selected subtree "${team}") ALL`)).end, /^BAD/);
  await demandOk(guest, `SELECT ${inbox}`);
  assert.deepEqual(await found(`ESEARCH IN (selected personal mailboxes (${inbox} "${team}")) SUBJECT alpha`), ['INBOX', `Other Users/${ownerAddress}/INBOX`, team]);
  const followed = await demandOk(guest, `ESEARCH IN (selected subtree "${team}") RETURN (COUNT UPDATE) SUBJECT alpha`);
  assert.deepEqual(followed.map((line) => line.slice(line.indexOf(') UID'))), Array<string>(3).fill(') UID COUNT 1'));
  await deliverTo(cluster, ['be2', ownerAddress], 'alpha');
  assert.ok((await demandOk(guest, 'NOOP')).some((line) => line.includes('UID ADDTO (0 2)')), 'the open mailbox alone is kept up to date');
  assert.match((await ask(guest, `ESEARCH IN (subtree "${team}") CHARSET x-none ALL`)).end, /^NO \[BADCHARSET/);
  close(both);
});
