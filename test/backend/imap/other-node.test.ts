/** Folders of owners who live on another node: opened, read, changed, copied and heard of from there, by the rights that the owner's node knows. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import { Dialogue } from '../../harness/dialogue.ts';
import { connectTo } from '../../../shared/net/connect.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { messageAbout } from './conversation.ts';
import { certificates, deliver, mailboxOf, password, startServer } from './harness.ts';
import { ask, demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes();
});
after(async () => cluster.stop());

interface Pair {
  /** On be2, who shares. */
  readonly owner: Dialogue;
  /** On be1, who looks. */
  readonly guest: Dialogue;
  readonly ownerAddress: string;
  readonly guestAddress: string;
  /** The owner's INBOX as the guest calls it. */
  readonly inbox: string;
}

async function pair(name: string, rights: string): Promise<Pair> {
  const [ownerAddress, guestAddress] = [`${name}-owner@example.com`, `${name}-guest@example.com`];
  const owner = await cluster.logIn('be2', ownerAddress);
  const guest = await cluster.logIn('be1', guestAddress);
  await demandOk(owner, `SETACL INBOX ${guestAddress} ${rights}`);
  return { owner, guest, ownerAddress, guestAddress, inbox: `"Other Users/${ownerAddress}/INBOX"` };
}

async function deliverTo(node: 'be1' | 'be2', address: string, subject: string): Promise<void> {
  await deliver({ storage: cluster.nodes[node].storage, address, mailbox: 'INBOX' }, messageAbout(subject), { flags: 4, keywords: ['$Work'], internalDateMs: Date.UTC(2026, 1, 3, 4, 5, 6) });
}

function close({ owner, guest }: Pair): void {
  owner.close();
  guest.close();
}

test('a folder on another node is listed, opened, read and changed as far as its node allows', async () => {
  const both = await pair('open', 'lrs');
  const { guest, inbox, ownerAddress } = both;
  await deliverTo('be2', ownerAddress, 'one');
  assert.deepEqual(await demandOk(guest, 'LIST "" "Other Users/*" RETURN (MYRIGHTS STATUS (MESSAGES))'), [
    `* LIST (\\NonExistent \\HasChildren) "/" "Other Users/${ownerAddress}"`, `* LIST (\\HasNoChildren) "/" ${inbox}`, `* MYRIGHTS ${inbox} lrs`, `* STATUS ${inbox} (MESSAGES 1)`,
  ]);
  assert.deepEqual(await demandOk(guest, `SUBSCRIBE ${inbox}`), []);
  assert.deepEqual(await demandOk(guest, 'LSUB "" "Other*"'), [`* LSUB () "/" ${inbox}`]);
  assert.match((await ask(guest, `SUBSCRIBE "Other Users/${ownerAddress}/Sent"`)).end, /^NO \[NONEXISTENT\]/);
  const selected = await demandOk(guest, `SELECT ${inbox}`);
  assert.ok(selected.includes('* 1 EXISTS') && selected.some((line) => line.startsWith('* OK [PERMANENTFLAGS (\\Seen)]')), selected.join('\n'));
  const fetched = await demandOk(guest, 'FETCH 1 (UID FLAGS BODY[TEXT])');
  assert.equal(fetched.join('\n'), '* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen $Work) BODY[TEXT] {14}\nBody of one.\n)');
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
  const both = await pair('news', 'lr');
  const { guest, inbox, ownerAddress } = both;
  await demandOk(guest, `SELECT ${inbox}`);
  guest.say('i IDLE');
  await guest.expect(/^\+ /);
  await deliverTo('be2', ownerAddress, 'one');
  await guest.until(/^\* 1 EXISTS$/);
  guest.say('DONE');
  await guest.until(/^i OK/);
  await deliverTo('be2', ownerAddress, 'two');
  assert.ok((await demandOk(guest, 'STATUS INBOX (MESSAGES)')).includes('* 2 EXISTS'));
  await deliverTo('be2', ownerAddress, 'three');
  assert.ok((await demandOk(guest, 'NOOP')).includes('* 3 EXISTS'));
  assert.ok((await demandOk(guest, 'SELECT INBOX'))[0]?.startsWith('* OK [CLOSED]'));
  await deliverTo('be2', ownerAddress, 'four');
  assert.deepEqual(await demandOk(guest, 'NOOP'), []);
  close(both);
});

test('news of a folder on another node come between commands, too, where NOTIFY asks for it; its annotations are read and set from here', async () => {
  const both = await pair('notify', 'lr');
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
  await deliverTo('be2', ownerAddress, 'one');
  await guest.until(/^\* 1 EXISTS$/);
  await demandOk(guest, 'NOTIFY SET (personal (MessageNew MessageExpunge))');
  guest.say('i IDLE');
  await guest.until(/^\+ /);
  await deliverTo('be1', guestAddress, 'own');
  await guest.until(/^\* STATUS INBOX \(MESSAGES 1 UIDNEXT 2/);
  await deliverTo('be2', ownerAddress, 'two');
  await guest.until(/^\* 2 EXISTS$/);
  guest.say('DONE');
  await guest.until(/^i OK/);
  close(both);
});

test('messages are copied and moved between nodes with their bytes, flags and dates, and COPYUID tells what became what', async () => {
  const both = await pair('copy', 'lrswite');
  const { guest, inbox, ownerAddress, guestAddress } = both;
  for (const subject of ['a', 'b', 'c']) await deliverTo('be2', ownerAddress, subject);
  await demandOk(guest, `SELECT ${inbox}`);
  const copied = await ask(guest, 'COPY 1,3 INBOX');
  assert.match(copied.end, /^OK \[COPYUID \d+ 1,3 1:2\]/);
  const here = accountOn('be1', guestAddress);
  const row = mailboxOf(here, 'INBOX').row(2);
  assert.deepEqual([row?.flags, row?.internalDateMs], [4, Date.UTC(2026, 1, 3, 4, 5, 6)]);
  assert.deepEqual(await mailboxOf(here, 'INBOX').message(2)?.read(0, row?.size ?? 0), messageAbout('c'));
  assert.deepEqual(mailboxOf(here, 'INBOX').state().keywords, ['$Work']);
  const moved = await ask(guest, 'UID MOVE 2:3 Trash');
  assert.match(moved.lines[0] ?? '', /^\* OK \[COPYUID \d+ 2:3 1:2\]/);
  assert.deepEqual([moved.lines.filter((line) => line.endsWith('EXPUNGE')), moved.end.startsWith('OK')], [['* 3 EXPUNGE', '* 2 EXPUNGE'], true]);
  assert.equal(mailboxOf(accountOn('be2', ownerAddress), 'INBOX').state().messages, 1);
  await demandOk(guest, 'SELECT INBOX');
  const back = await ask(guest, `MOVE 1:2 ${inbox}`);
  assert.match(back.lines[0] ?? '', /^\* OK \[COPYUID \d+ 1:2 4:5\]/);
  const there = mailboxOf(accountOn('be2', ownerAddress), 'INBOX');
  assert.deepEqual([there.row(5)?.flags, there.row(5)?.internalDateMs, there.state().messages], [4, Date.UTC(2026, 1, 3, 4, 5, 6), 3]);
  assert.deepEqual(await there.message(5)?.read(0, 10_000), messageAbout('c'));
  assert.equal(mailboxOf(here, 'INBOX').state().messages, 0);
  close(both);
});

test('what may not be copied or moved stays where it is, on both nodes', async () => {
  const both = await pair('stay', 'lr');
  const { guest, owner, inbox, ownerAddress, guestAddress } = both;
  await deliverTo('be2', ownerAddress, 'a');
  await deliverTo('be1', guestAddress, 'b');
  await demandOk(guest, `SELECT ${inbox}`);
  assert.match((await ask(guest, 'MOVE 1 INBOX')).end, /^NO \[NOPERM\]/);
  assert.match((await ask(guest, 'COPY 1 Nowhere')).end, /^NO \[TRYCREATE\]/);
  assert.deepEqual(await demandOk(guest, 'FETCH 1 UID'), ['* 1 FETCH (UID 1)']);
  await demandOk(guest, 'SELECT INBOX');
  assert.match((await ask(guest, `MOVE 1 ${inbox}`)).end, /^NO \[NOPERM\]/);
  assert.match((await ask(guest, `COPY 1 "Other Users/${ownerAddress}/Trash"`)).end, /^NO \[NONEXISTENT\]/);
  assert.deepEqual([mailboxOf(accountOn('be1', guestAddress), 'INBOX').state().messages, mailboxOf(accountOn('be2', ownerAddress), 'INBOX').state().messages], [1, 1]);
  await demandOk(owner, `SETACL INBOX ${guestAddress} lri`);
  assert.match((await ask(guest, `COPY 1 ${inbox}`)).end, /^OK \[COPYUID \d+ 1 2\]/);
  assert.equal(mailboxOf(accountOn('be2', ownerAddress), 'INBOX').row(2)?.flags, 0, 'a flag that the guest may not set does not come along');
  close(both);
});

test('APPEND goes to another node as it comes, several messages too, and one that is cut is taken by nobody', async () => {
  const both = await pair('append', 'lrswi');
  const { guest, inbox, ownerAddress } = both;
  const big = Buffer.concat([messageAbout('big'), Buffer.alloc(3_000_000, 'x\r\n')]);
  guest.say(`a APPEND ${inbox} (\\Seen) "03-Feb-2026 04:05:06 +0000" {${String(big.length)}}`);
  await guest.expect(/^\+ /);
  guest.sayRaw(big);
  guest.sayRaw(` (\\Flagged) {5+}\r\nA: b\r ~{6+}\r\nA: c\r\n\r\n`);
  assert.match((await guest.until(/^a .*/))[0], /^a OK \[APPENDUID \d+ 1:3\]/);
  const there = mailboxOf(accountOn('be2', ownerAddress), 'INBOX');
  assert.deepEqual(await there.message(1)?.read(0, big.length), big);
  assert.deepEqual([there.row(1)?.flags, there.row(1)?.internalDateMs, there.row(2)?.flags], [1, Date.UTC(2026, 1, 3, 4, 5, 6), 4]);
  guest.say(`b APPEND ${inbox} {100}`);
  await guest.expect(/^\+ /);
  guest.sayRaw('only a part');
  guest.close();
  await demandOk(both.owner, 'NOOP');
  assert.equal(there.state().messages, 3);
  close(both);
});

test('folders are made, renamed, granted and removed on the node of their owner', async () => {
  const both = await pair('tree', 'lrkxa');
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

test('a right that is taken away closes the folder, and the session goes on', async () => {
  const both = await pair('taken', 'lr');
  const { guest, owner, inbox, ownerAddress, guestAddress } = both;
  await deliverTo('be2', ownerAddress, 'one');
  await demandOk(guest, `SELECT ${inbox}`);
  await demandOk(owner, `DELETEACL INBOX ${guestAddress}`);
  const { lines, end } = await ask(guest, 'FETCH 1 BODY.PEEK[]');
  assert.match(end, /^NO \[UNAVAILABLE\]/);
  assert.deepEqual(lines, []);
  assert.match((await ask(guest, `SELECT ${inbox}`)).end, /^NO \[NONEXISTENT\]/);
  await demandOk(guest, 'SELECT INBOX');
  close(both);
});

test('an account that moved to the node of the guest is found there', async () => {
  const both = await pair('moved', 'lr');
  const { guest, inbox, ownerAddress, guestAddress } = both;
  await demandOk(guest, `SELECT ${inbox}`);
  const account = accountOn('be2', ownerAddress);
  const next = await cluster.nodes.be1.storage.createAccount(ownerAddress);
  await next.changeRights('INBOX', guestAddress, (entry) => ({ ...entry, allow: 'lr' }));
  await deliverTo('be1', ownerAddress, 'after the move');
  await cluster.nodes.be2.storage.markMoved(ownerAddress, 'be1', account.epoch + 1);
  assert.match((await ask(guest, 'FETCH 1 FLAGS')).end, /^NO \[UNAVAILABLE\]/);
  assert.ok((await demandOk(guest, `SELECT ${inbox}`)).includes('* 1 EXISTS'));
  close(both);
});

test('only a back-end of the cluster may come for a guest, and only for what is shared with that guest', async () => {
  const both = await pair('trust', 'lr');
  const { ownerAddress, guestAddress } = both;
  const asGuest = [`i ID ("x-guest-of" "${ownerAddress}")`, `l AUTHENTICATE EXTERNAL ${Buffer.from(guestAddress).toString('base64')}`];
  const other = await speak('be2', 'be1', [...asGuest, 'a SELECT INBOX', 'b LIST "" *', `c SELECT "Other Users/${ownerAddress}/Sent"`, `d EXAMINE "Other Users/${ownerAddress}/INBOX"`, 'e GETQUOTA ""', 'f UNAUTHENTICATE']);
  assert.match(other['l'] ?? '', /^OK/);
  assert.match(other['a'] ?? '', /^NO \[NONEXISTENT\]/);
  assert.match(other['b'] ?? '', /^NO \[NOPERM\]/);
  assert.match(other['c'] ?? '', /^NO \[NONEXISTENT\]/);
  assert.match(other['d'] ?? '', /^OK \[READ-ONLY\]/);
  assert.match(other['e'] ?? '', /^NO \[NOPERM\]/);
  assert.match(other['f'] ?? '', /^(?:NO|BAD)/);
  const withoutOwner = await speak('be2', 'be1', ['i ID NIL', asGuest[1] ?? '']);
  assert.match(withoutOwner['l'] ?? '', /^NO \[AUTHORIZATIONFAILED\]/);
  const asOwner = await speak('be2', 'be1', [asGuest[0] ?? '', `l AUTHENTICATE EXTERNAL ${Buffer.from(ownerAddress).toString('base64')}`]);
  assert.match(asOwner['l'] ?? '', /^NO \[AUTHORIZATIONFAILED\]/);
  const frontEnd = await speak('be2', 'fe1', [...asGuest, 'a SELECT INBOX']);
  assert.match(frontEnd['a'] ?? '', /^OK/, 'for a front-end the user is the user, and the field says nothing');
  assert.equal((await cluster.nodes.be2.storage.createAccount(guestAddress)).mailbox('INBOX')?.state().messages, 0);
  close(both);
});

/** What is answered to each tag by a node's trusted listener, to who shows that certificate. */
async function speak(node: 'be1' | 'be2', certificate: string, lines: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const own = certificates[certificate];
  const socket = await connectTo({ host: '127.0.0.1', port: cluster.nodes[node].ports.trusted, tls: { key: own?.key, cert: own?.certificate, ca: own?.authority }, timeoutMs: 5000 });
  const connection = new Connection(socket, { maxLineBytes: 100_000, idleTimeoutMs: 10_000 });
  const answers: Record<string, string> = {};
  await connection.write(`${lines.join('\r\n')}\r\n`);
  while (Object.keys(answers).length < lines.length) {
    const line = await connection.readLine();
    if (line === undefined) break;
    const [, tag = '', text = ''] = /^([a-z]) (.*)$/.exec(line) ?? [];
    if (tag !== '') answers[tag] = text;
  }
  connection.destroy();
  return answers;
}

test('a node that says nothing any more holds nobody up: its folder is unavailable after a while, all else at once', async () => {
  const both = await pair('silent', 'lrs');
  const { guest, inbox } = both;
  await demandOk(guest, `SELECT ${inbox}`);
  cluster.road.behaviour = { kind: 'hang' };
  const began = Date.now();
  assert.equal((await demandOk(guest, 'STATUS INBOX (MESSAGES)'))[0], '* STATUS INBOX (MESSAGES 0)');
  assert.ok(cluster.road.swallowed > 0, 'it was asked for news');
  assert.match((await ask(guest, 'FETCH 1 FLAGS')).end, /^NO \[UNAVAILABLE\]/);
  await demandOk(guest, 'SELECT INBOX');
  assert.ok(Date.now() - began < 5000, 'one question of ours waits for it, and no more');
  cluster.road.behaviour = { kind: 'pass' };
  await demandOk(guest, `SELECT ${inbox}`);
  cluster.road.behaviour = { kind: 'hang' };
  assert.match((await ask(guest, `STATUS ${inbox} (MESSAGES)`)).end, /^NO \[UNAVAILABLE\]/);
  cluster.road.behaviour = { kind: 'pass' };
  await demandOk(guest, `SELECT ${inbox}`);
  cluster.road.behaviour = { kind: 'hang' };
  assert.match((await ask(guest, 'UID FETCH 1:* FLAGS')).end, /^NO \[UNAVAILABLE\]/);
  cluster.road.behaviour = { kind: 'pass' };
  close(both);
});

test('a message that is cut off on its way between nodes ends the connection: nothing else may stand for its bytes', async () => {
  const both = await pair('cut', 'lr');
  const { guest, inbox, ownerAddress } = both;
  await deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox: 'INBOX' }, Buffer.concat([messageAbout('long'), Buffer.alloc(8_000_000, 'x\r\n')]));
  await demandOk(guest, `SELECT ${inbox}`);
  cluster.road.behaviour = { kind: 'cut', afterBytes: 1_000_000 };
  await demandOk(guest, 'UNSELECT');
  const fresh = await cluster.logIn('be1', both.guestAddress);
  await demandOk(fresh, `SELECT ${inbox}`);
  fresh.say('f FETCH 1 BODY.PEEK[]');
  await fresh.expect(/^\* 1 FETCH \(BODY\[\] \{8\d+\}$/);
  await fresh.closed();
  cluster.road.behaviour = { kind: 'pass' };
  fresh.close();
  close(both);
});

/** Bytes of buffers that are in use once everything that could flow has flowed. */
async function heldWhenStill(): Promise<number> {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  let [held, alike] = [-1, 0];
  while (alike < 5) {
    await sleep(20);
    collect();
    const now = process.memoryUsage().arrayBuffers;
    alike = Math.abs(now - held) < 10_000 ? alike + 1 : 0;
    held = now;
  }
  return held;
}

test('a client that reads a long message of another node slowly costs both nodes buffers, not the message', async () => {
  const both = await pair('slow', 'lr');
  const { inbox, ownerAddress, guestAddress } = both;
  const long = Buffer.concat([messageAbout('long'), Buffer.alloc(16_000_000, 'x\r\n')]);
  await deliver({ storage: cluster.nodes.be2.storage, address: ownerAddress, mailbox: 'INBOX' }, long);
  const before = await heldWhenStill();
  const socket = tls.connect({ port: cluster.nodes.be1.ports.tls, host: '127.0.0.1', rejectUnauthorized: false });
  socket.write(`l LOGIN ${guestAddress} "${password}"\r\ns SELECT ${inbox}\r\nf FETCH 1 BODY.PEEK[]\r\n`);
  let [read, last] = [0, Buffer.alloc(0)];
  const take = (piece: Buffer): void => {
    read += piece.length;
    last = Buffer.concat([last, piece]).subarray(-100);
  };
  socket.on('data', take);
  while (read < 1_000_000) await once(socket, 'data');
  socket.pause();
  const held = await heldWhenStill();
  assert.ok(held - before < 8_000_000, `${String(held - before)} bytes more while nobody reads`);
  socket.resume();
  while (!last.includes('\r\nf OK')) await once(socket, 'data');
  assert.ok(read > long.length);
  socket.destroy();
  close(both);
});

test('while the other node is away its folders are unavailable, and nothing else', async () => {
  const both = await pair('away', 'lrswite');
  const { guest, inbox, ownerAddress, guestAddress } = both;
  await deliverTo('be1', guestAddress, 'one');
  await demandOk(guest, 'LIST "" "Other Users/*"');
  await demandOk(guest, `SELECT ${inbox}`);
  await cluster.nodes.be2.crash();
  assert.match((await ask(guest, 'FETCH 1 FLAGS')).end, /^NO \[UNAVAILABLE\]/);
  assert.match((await ask(guest, 'UID SEARCH ALL')).end, /^NO \[UNAVAILABLE\]/);
  guest.say('i IDLE');
  await guest.expect(/^i NO \[UNAVAILABLE\]/);
  assert.match((await ask(guest, `SELECT ${inbox}`)).end, /^NO \[UNAVAILABLE\]/);
  assert.match((await ask(guest, `STATUS ${inbox} (MESSAGES)`)).end, /^NO \[UNAVAILABLE\]/);
  guest.say(`a APPEND ${inbox} {10+}`);
  guest.sayRaw('A: b\r\n\r\nxy\r\n');
  await guest.expect(/^a NO \[UNAVAILABLE\]/);
  await demandOk(guest, 'SELECT INBOX');
  assert.match((await ask(guest, `MOVE 1 ${inbox}`)).end, /^NO \[UNAVAILABLE\]/);
  assert.deepEqual(await demandOk(guest, 'FETCH 1 UID'), ['* 1 FETCH (UID 1)']);
  const listed = await demandOk(guest, 'LIST "" "Other Users/*"');
  assert.ok(listed.some((line) => line.includes(ownerAddress)), 'what the node said last still counts');
  close(both);
});

test('a node that was never heard of folders since it is away is told as missing', async (t) => {
  const lone = await startServer({ others: { lookUp: () => undefined, nodes: { sharedWith: async () => ({ folders: [], silent: ['be2'] }), connect: async () => Promise.reject(new Error('never')) } } });
  t.after(async () => lone.stop());
  const dialogue = await Dialogue.connect({ port: lone.ports.tls, tls: 'implicit' });
  dialogue.say('l LOGIN lone@example.com "secret word"');
  await dialogue.until(/^l OK/);
  assert.match((await demandOk(dialogue, 'LIST "" *'))[0] ?? '', /^\* NO \[UNAVAILABLE\]/);
  dialogue.close();
});

function accountOn(node: 'be1' | 'be2', address: string) {
  const record = cluster.nodes[node].storage.find(address);
  if (record.at !== 'live') throw new Error(`${address} does not live on ${node}`);
  return record.account;
}
