/** While the node of an owner says nothing, breaks off or is away: its folders are unavailable and nothing else, and no client is told less without a word. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import { Dialogue } from '../../harness/dialogue.ts';
import { holdIndex } from '../../harness/held-index.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import { close, deliverTo, pair } from './pairs.ts';
import { ask, demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes({ otherNodePatienceMs: 500, idleRecheckMs: 400 });
});
after(async () => cluster.stop());

test('a node that says nothing any more holds nobody up: its folder is unavailable after a while, all else at once', async () => {
  const both = await pair(cluster, 'silent', 'lrs');
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
  const both = await pair(cluster, 'cut', 'lr');
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
  const both = await pair(cluster, 'slow', 'lr');
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

test('ESEARCH says which folders it could not search, and tells what it found elsewhere', async () => {
  const both = await pair(cluster, 'esearch', 'lr');
  const { owner, guest, inbox, ownerAddress, guestAddress } = both;
  await deliverTo(cluster, ['be1', guestAddress], 'alpha');
  const other = await pair(cluster, 'esearch-other', 'lr');
  await demandOk(other.owner, `SETACL INBOX ${guestAddress} lr`);
  const search = `ESEARCH IN (personal mailboxes (${inbox} ${other.inbox})) SUBJECT alpha`;
  await demandOk(guest, search);
  cluster.road.behaviour = { kind: 'hang' };
  const began = Date.now();
  const { lines, end } = await ask(guest, search);
  cluster.road.behaviour = { kind: 'pass' };
  assert.match(end, /^NO \[UNAVAILABLE\] not everything/);
  assert.match(lines[0] ?? '', /^\* ESEARCH \(TAG "t" MAILBOX INBOX /);
  assert.deepEqual(lines.slice(1).map((line) => /^\* NO \[UNAVAILABLE\] the folders of (\S+) were not searched/.exec(line)?.[1]), [ownerAddress, other.ownerAddress]);
  assert.ok(Date.now() - began < 6000, 'a node is waited for once');
  await demandOk(owner, `DELETEACL INBOX ${guestAddress}`);
  assert.deepEqual((await demandOk(guest, search)).map((line) => line.slice(0, 30)), ['* ESEARCH (TAG "t" MAILBOX INB'], 'a folder that may not be read any more is as good as none');
  close(other);
  close(both);
});

test('ESEARCH tells what living nodes found while it waits for a dead one, which it asks once, however many owners it has', async () => {
  const address = 'many-guest@example.com';
  const guest = await cluster.logIn('be1', address);
  const dead = ['dead1@example.com', 'dead2@example.com', 'dead3@example.com'];
  for (const owner of dead) cluster.homes.set(owner, 'dead');
  const living = ['1', '2', '3', '4', '5', '6'].map((number) => `many-owner${number}@example.com`); // more than a session keeps connections
  for (const owner of living) {
    const dialogue = await cluster.logIn('be2', owner);
    await demandOk(dialogue, `SETACL INBOX ${address} lr`);
    dialogue.close();
    await deliverTo(cluster, ['be2', owner], 'alpha');
  }
  const inboxes = [...dead, ...living].map((owner) => `"Other Users/${owner}/INBOX"`).join(' ');
  const other = await cluster.logIn('be1', 'other-guest@example.com');
  const lines: string[] = [];
  guest.say(`t ESEARCH IN (mailboxes (${inboxes})) SUBJECT alpha`);
  const searching = (async (): Promise<string> => {
    for (;;) {
      const line = await guest.line();
      if (line.startsWith('t ')) return line.slice(2);
      lines.push(line);
    }
  })();
  while (cluster.dead.accepted === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await demandOk(other, 'SELECT INBOX');
  assert.ok(!lines.some((line) => line.startsWith('* NO')), 'who waits for other nodes holds up nobody in his worker, which does one command at a time here');
  other.close();
  const end = await searching;
  assert.match(end, /^NO \[UNAVAILABLE\] not everything/);
  const told = lines.map((line) => /\b(?:dead|many-owner)\d@example\.com/.exec(line)?.[0] ?? line);
  assert.deepEqual(told.slice(0, 6).sort(), living);
  assert.deepEqual(told.slice(6), dead);
  assert.equal(cluster.dead.accepted, 1);
  assert.deepEqual(await demandOk(guest, `STATUS "Other Users/${living[0] ?? ''}/INBOX" (MESSAGES)`), [`* STATUS "Other Users/${living[0] ?? ''}/INBOX" (MESSAGES 1)`]);
  assert.match((await ask(guest, `ESEARCH IN (mailboxes (${living.map((owner) => `"Other Users/${owner}/INBOX"`).join(' ')})) SUBJECT`)).end, /^BAD/);
  guest.close();
});

test('in IDLE a node that says nothing any more is noticed, and one that is there is asked unseen', { timeout: 60_000 }, async () => {
  const both = await pair(cluster, 'idle', 'lr');
  const { guest, inbox, ownerAddress } = both;
  await demandOk(guest, `SELECT ${inbox}`);
  const before = cluster.road.forwarded;
  guest.say('i IDLE');
  await guest.expect(/^\+ /);
  while (cluster.road.forwarded < before + 3) await new Promise((resolve) => setTimeout(resolve, 20));
  await deliverTo(cluster, ['be2', ownerAddress], 'one');
  await guest.until(/^\* 1 RECENT$/);
  cluster.road.behaviour = { kind: 'hang' };
  await guest.expect(/^\* NO \[UNAVAILABLE\]/);
  cluster.road.behaviour = { kind: 'pass' };
  guest.say('DONE');
  await guest.expect(/^i NO \[UNAVAILABLE\]/);
  // Patience is short here: a busy machine may exceed it once more.
  while (!(await ask(guest, `SELECT ${inbox}`)).end.startsWith('OK')) await new Promise((resolve) => setTimeout(resolve, 100));
  close(both);
});

test('a MOVE out of a folder whose node writes slowly is done, though removing the messages there takes longer than a question may', async (t) => {
  const slow = await startTwoNodes({ otherNodePatienceMs: 2000 });
  t.after(async () => slow.stop());
  const both = await pair(slow, 'slow', 'lrswite');
  const { guest, inbox, ownerAddress } = both;
  await deliverTo(slow, ['be2', ownerAddress], 'one');
  await demandOk(guest, `SELECT ${inbox}`);
  const held = once(await holdIndex(join(slow.nodes.be2.directory, 'index'), 2600), 'exit');
  assert.match((await ask(guest, 'MOVE 1 INBOX')).end, /^OK/);
  await held;
  assert.deepEqual(await demandOk(guest, `STATUS ${inbox} (MESSAGES)`), [`* STATUS ${inbox} (MESSAGES 0)`]);
  close(both);
});

test('while the other node is away its folders are unavailable, and nothing else', async () => {
  const both = await pair(cluster, 'away', 'lrswite');
  const { guest, inbox, ownerAddress, guestAddress } = both;
  await deliverTo(cluster, ['be1', guestAddress], 'one');
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
