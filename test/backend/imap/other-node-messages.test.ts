/** Messages that are copied, moved, appended, put together or replaced (RFC 4469, RFC 8508) in a folder on another node, and uids alone from there (RFC 9586); what is enabled or copied while such a folder is open. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectTo } from '../../../shared/net/connect.ts';
import { messageAbout } from './conversation.ts';
import { certificates, deliver, mailboxOf } from './harness.ts';
import { accountOn, close, deliverTo, pair } from './pairs.ts';
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
  for (const line of [/^\* OK \[APPENDUID \d+ 5\]/, /^\* 1 EXPUNGE/, /^\* 0 RECENT/, /^u OK/, /^v (?:BAD|NO)/]) await guest.expect(line);
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
  assert.match((await demandOk(asks, 'STORE 1 +FLAGS (\\Seen)'))[0] ?? '', /^\* 1 FETCH \(UID 1 FLAGS \(\\Recent \\Seen\) MODSEQ \(\d+\)\)$/);
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
  assert.deepEqual(await ask(guest, `UID MOVE 2 "Other Users/${dropAddress}/INBOX"`), { lines: ['* 2 EXPUNGE', '* 1 RECENT'], end: 'OK MOVE completed' });
  assert.ok((await demandOk(drop, 'STATUS INBOX (MESSAGES)')).includes('* STATUS INBOX (MESSAGES 2)'));
  const international = Buffer.from('Subject: Gr\u00fc\u00dfe\r\n\r\nbody\r\n');
  for (const bytes of [international, messageAbout('plain')]) await deliver({ storage: cluster.nodes.be1.storage, address: guestAddress, mailbox: 'Drafts' }, bytes);
  await demandOk(owner, `SETACL INBOX ${guestAddress} lri`);
  await demandOk(guest, 'SELECT Drafts');
  const inbox = `"Other Users/${ownerAddress}/INBOX"`;
  assert.match((await ask(guest, `COPY 1:2 ${inbox}`)).end, /^OK \[COPYUID \d+ 1:2 3:4\]/);
  const raw = Buffer.concat([Buffer.from('Subject: Gr'), Buffer.from([0xfc, 0xdf, 0x65]), Buffer.from('\r\n\r\nbody\r\n')]);
  guest.sayRaw(Buffer.concat([Buffer.from(`r APPEND ${inbox} {${String(raw.length)}+}\r\n`), raw, Buffer.from('\r\n')]));
  await guest.until(/^r OK \[APPENDUID \d+ 5\]/);
  const there = mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX');
  assert.deepEqual([await there.message(3)?.read(0, 100), await there.message(5)?.read(0, 100)].map((bytes) => bytes?.subarray(0, 14)), [international.subarray(0, 14), raw.subarray(0, 14)], 'as it came');
  for (const dialogue of [owner, guest, drop]) dialogue.close();
});

test('messages are copied and moved between nodes with their bytes, flags and dates, and COPYUID tells what became what', async () => {
  const both = await pair(cluster, 'copy', 'lrswite');
  const { guest, inbox, ownerAddress, guestAddress } = both;
  for (const subject of ['a', 'b', 'c']) await deliverTo(cluster, ['be2', ownerAddress], subject);
  await demandOk(guest, `SELECT ${inbox}`);
  const copied = await ask(guest, 'COPY 1,3 INBOX');
  assert.match(copied.end, /^OK \[COPYUID \d+ 1,3 1:2\]/);
  const here = accountOn(cluster, 'be1', guestAddress);
  const row = mailboxOf(here, 'INBOX').row(2);
  assert.deepEqual([row?.flags, row?.internalDateMs], [4, Date.UTC(2026, 1, 3, 4, 5, 6)]);
  assert.deepEqual(await mailboxOf(here, 'INBOX').message(2)?.read(0, row?.size ?? 0), messageAbout('c'));
  assert.deepEqual(mailboxOf(here, 'INBOX').state().keywords, ['$Work']);
  const moved = await ask(guest, 'UID MOVE 2:3 Trash');
  assert.match(moved.lines[0] ?? '', /^\* OK \[COPYUID \d+ 2:3 1:2\]/);
  assert.deepEqual([moved.lines.filter((line) => line.endsWith('EXPUNGE')), moved.end.startsWith('OK')], [['* 3 EXPUNGE', '* 2 EXPUNGE'], true]);
  assert.equal(mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX').state().messages, 1);
  await demandOk(guest, 'SELECT INBOX');
  const back = await ask(guest, `MOVE 1:2 ${inbox}`);
  assert.match(back.lines[0] ?? '', /^\* OK \[COPYUID \d+ 1:2 4:5\]/);
  const there = mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX');
  assert.deepEqual([there.row(5)?.flags, there.row(5)?.internalDateMs, there.state().messages], [4, Date.UTC(2026, 1, 3, 4, 5, 6), 3]);
  assert.deepEqual(await there.message(5)?.read(0, 10_000), messageAbout('c'));
  assert.equal(mailboxOf(here, 'INBOX').state().messages, 0);
  close(both);
});

test('MOVE out of a mailbox on another node shows nobody a mark, though mod-sequences and flags are told (RFC 6851 section 3.3); a client of that node can not say what its node says for it', async () => {
  const both = await pair(cluster, 'unmarked', 'lrswite');
  const { owner, guest, inbox, ownerAddress } = both;
  for (const subject of ['a', 'b', 'c']) await deliverTo(cluster, ['be2', ownerAddress], subject);
  const watcher = await cluster.logIn('be2', ownerAddress);
  await demandOk(watcher, 'ENABLE QRESYNC');
  await demandOk(watcher, 'SELECT INBOX');
  await demandOk(watcher, 'NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))');
  await demandOk(guest, 'ENABLE CONDSTORE');
  await demandOk(guest, `SELECT ${inbox}`);
  const { lines, end } = await ask(guest, 'MOVE 1:2 INBOX');
  assert.match(end, /^OK/);
  assert.deepEqual(lines.map((line) => line.replace(/COPYUID \d+/, 'COPYUID n')), ['* OK [COPYUID n 1:2 1:2] moved', '* 2 EXPUNGE', '* 1 EXPUNGE']);
  for (const line of [/^\* VANISHED 1:2$/, /^\* 1 RECENT$/]) await watcher.expect(line); // who opened it first has them as recent
  assert.deepEqual(await demandOk(watcher, 'NOOP'), []);
  await demandOk(owner, 'SELECT INBOX');
  assert.match((await ask(owner, 'UID XWAYBILL-REMOVE 3')).end, /^BAD unknown command/);
  assert.equal(mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX').state().messages, 1);
  watcher.close();
  close(both);
});

test('what may not be copied or moved stays where it is, on both nodes', async () => {
  const both = await pair(cluster, 'stay', 'lr');
  const { guest, owner, inbox, ownerAddress, guestAddress } = both;
  await deliverTo(cluster, ['be2', ownerAddress], 'a');
  await deliverTo(cluster, ['be1', guestAddress], 'b');
  await demandOk(guest, `SELECT ${inbox}`);
  assert.match((await ask(guest, 'MOVE 1 INBOX')).end, /^NO \[NOPERM\]/);
  assert.match((await ask(guest, 'COPY 1 Nowhere')).end, /^NO \[TRYCREATE\]/);
  assert.deepEqual(await demandOk(guest, 'FETCH 1 UID'), ['* 1 FETCH (UID 1)']);
  await demandOk(guest, 'SELECT INBOX');
  assert.match((await ask(guest, `MOVE 1 ${inbox}`)).end, /^NO \[NOPERM\]/);
  assert.match((await ask(guest, `COPY 1 "Other Users/${ownerAddress}/Trash"`)).end, /^NO \[NONEXISTENT\]/);
  assert.deepEqual([mailboxOf(accountOn(cluster, 'be1', guestAddress), 'INBOX').state().messages, mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX').state().messages], [1, 1]);
  await demandOk(owner, `SETACL INBOX ${guestAddress} lri`);
  assert.match((await ask(guest, `COPY 1 ${inbox}`)).end, /^OK \[COPYUID \d+ 1 2\]/);
  assert.equal(mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX').row(2)?.flags, 0, 'a flag that the guest may not set does not come along');
  close(both);
});

test('APPEND goes to another node as it comes, several messages too, and one that is cut is taken by nobody', async () => {
  const both = await pair(cluster, 'append', 'lrswi');
  const { guest, inbox, ownerAddress } = both;
  const big = Buffer.concat([messageAbout('big'), Buffer.alloc(3_000_000, 'x\r\n')]);
  guest.say(`a APPEND ${inbox} (\\Seen) "03-Feb-2026 04:05:06 +0000" {${String(big.length)}}`);
  await guest.expect(/^\+ /);
  guest.sayRaw(big);
  guest.sayRaw(` (\\Flagged) {5+}\r\nA: b\r ~{6+}\r\nA: \0\r\n\r\n`); // a literal8 stays one
  assert.match((await guest.until(/^a .*/))[0], /^a OK \[APPENDUID \d+ 1:3\]/);
  const there = mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX');
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

test('the header of a message is bounded on its way to another node, too, and an open mailbox there stays open; what CATENATE puts together from there that node bounds', async () => {
  const cluster2 = await startTwoNodes({ maxHeaderBytes: 500 });
  try {
    const both = await pair(cluster2, 'bounded', 'lrswite');
    const { guest, inbox, ownerAddress } = both;
    const long = `X: ${'x'.repeat(600)}\r\n\r\nbody`;
    const longBody = `A: b\r\n\r\n${'x'.repeat(600)}`;
    const refused = /^NO \[TOOBIG\] the header of a message may have at most 500 bytes$/;
    const end = async (command: string): Promise<string> => (await ask(guest, command)).end;
    const literal = (text: string): string => `{${String(text.length)}+}\r\n${text}`;
    for (const open of ['no mailbox', inbox]) {
      if (open === inbox) await demandOk(guest, `SELECT ${inbox}`);
      assert.match(await end(`APPEND ${inbox} ${literal(longBody)} ${literal(long)}`), refused);
      assert.match(await end(`APPEND ${inbox} CATENATE (TEXT ${literal(long.slice(0, 300))} TEXT ${literal(long.slice(300))})`), refused);
      assert.match(await end(`APPEND ${inbox} ${literal(longBody)} nonsense`), /^BAD/);
    }
    const there = mailboxOf(accountOn(cluster2, 'be2', ownerAddress), 'INBOX');
    assert.equal(there.state().messages, 0);
    await demandOk(guest, `APPEND ${inbox} CATENATE (TEXT ${literal(longBody)} TEXT ${literal(longBody)})`);
    assert.equal(there.row(1)?.size, 2 * longBody.length);
    assert.match(await end(`REPLACE 1 ${inbox} ${literal(long)}`), refused);
    assert.deepEqual((await demandOk(guest, 'FETCH 1 (RFC822.SIZE)')), [`* 1 FETCH (RFC822.SIZE ${String(2 * longBody.length)})`]);
    const url = `/Other%20Users/${ownerAddress}/INBOX/;UID=1/;SECTION=TEXT`;
    assert.match(await end(`APPEND ${inbox} CATENATE (TEXT ${literal('A: b\r\n')} URL "${url}" TEXT ${literal('x'.repeat(600))})`), refused);
    await demandOk(guest, `APPEND ${inbox} CATENATE (TEXT ${literal('A: b\r\n\r\n')} URL "${url}" TEXT ${literal('x'.repeat(600))})`);
    close(both);
  } finally {
    await cluster2.stop();
  }
});

test('more messages than are held at a time are copied to another node and back as a whole, or none of them', async () => {
  const both = await pair(cluster, 'many', 'lrswite');
  const { guest, inbox, ownerAddress, guestAddress } = both;
  const count = 1003;
  await deliverTo(cluster, ['be1', guestAddress], 'many');
  const here = mailboxOf(accountOn(cluster, 'be1', guestAddress), 'INBOX');
  while (here.state().messages < count) await here.copyTo(here.rows().slice(0, count - here.state().messages).map(({ uid }) => uid), here);
  const { storage } = cluster.nodes.be2;
  await storage.lives.setLimits(ownerAddress, { messages: count - 1 });
  const there = mailboxOf(accountOn(cluster, 'be2', ownerAddress), 'INBOX');
  await demandOk(guest, 'SELECT INBOX');
  assert.match((await ask(guest, `COPY 1:* ${inbox}`)).end, /^NO \[OVERQUOTA\]/);
  assert.deepEqual([there.state().messages, there.state().uidNext, accountOn(cluster, 'be2', ownerAddress).quota().messages], [0, 1, 0], 'nobody saw any of them, and no uid is used up');
  await storage.lives.setLimits(ownerAddress, { messages: 0 });
  const first = there.state().uidNext;
  assert.match((await ask(guest, `COPY 1:* ${inbox}`)).end, new RegExp(`^OK \\[COPYUID \\d+ 1:${String(count)} ${String(first)}:${String(first + count - 1)}\\]`));
  assert.deepEqual(await there.message(first + count - 1)?.read(0, 1000), messageAbout('many'));
  await demandOk(guest, `SELECT ${inbox}`);
  const moved = await ask(guest, 'MOVE 1:* Trash');
  assert.match(moved.lines[0] ?? '', new RegExp(`^\\* OK \\[COPYUID \\d+ ${String(first)}:${String(first + count - 1)} 1:${String(count)}\\]`));
  assert.deepEqual([moved.end.slice(0, 2), there.state().messages, mailboxOf(accountOn(cluster, 'be1', guestAddress), 'Trash').state().messages], ['OK', 0, count]);
  await demandOk(guest, 'SELECT Trash');
  const back = await ask(guest, `MOVE 1:* ${inbox}`);
  assert.deepEqual([back.lines.filter((line) => line.startsWith('* OK [COPYUID')).length, back.end.slice(0, 2), there.state().messages], [2, 'OK', count], 'told in lots');
  close(both);
});

test('a connection that is cut between the lots of a copy leaves the folder as it was, and its owner sees nothing of them', async () => {
  const both = await pair(cluster, 'lots', 'lrswite');
  const { owner, ownerAddress, guestAddress } = both;
  const account = accountOn(cluster, 'be2', ownerAddress);
  const before = mailboxOf(account, 'INBOX').state();
  await demandOk(owner, 'SELECT INBOX');
  const be1 = certificates['be1'];
  const socket = await connectTo({ host: '127.0.0.1', port: cluster.nodes.be2.ports.trusted, tls: { key: be1?.key, cert: be1?.certificate, ca: be1?.authority }, timeoutMs: 5000 });
  socket.resume();
  socket.write(`i ID ("x-guest-of" "${ownerAddress}")\r\nl AUTHENTICATE EXTERNAL ${Buffer.from(guestAddress).toString('base64')}\r\na APPEND "Other Users/${ownerAddress}/INBOX"${' () {4+}\r\nA: b'.repeat(1001)}`);
  while (account.quota().messages < 1000) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await demandOk(owner, 'NOOP'), []);
  assert.deepEqual(await demandOk(owner, 'LIST "" "*"'), (await demandOk(owner, 'LIST "" "*"')).filter((line) => !line.includes('\u007f')));
  socket.destroy();
  while (account.quota().messages > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(mailboxOf(account, 'INBOX').state(), before);
  assert.deepEqual(await demandOk(owner, 'NOOP'), []);
  close(both);
});

test('a folder on another node that has all its keywords takes every message that is copied there, or from there, without those that find no room', async () => {
  const [ownerAddress, guestAddress] = ['keywords-owner@example.com', 'keywords-guest@example.com'];
  const [owner, guest] = [await cluster.logIn('be2', ownerAddress), await cluster.logIn('be1', guestAddress)];
  await demandOk(owner, `SETACL INBOX ${guestAddress} lrsitew`);
  const all = Array.from({ length: 32 }, (_, index) => `k${String(index)}`).join(' ');
  for (const [node, address] of [['be2', ownerAddress], ['be1', guestAddress]] as const) await deliver({ storage: cluster.nodes[node].storage, address, mailbox: 'INBOX' }, messageAbout('full'));
  await demandOk(owner, 'SELECT INBOX');
  await demandOk(owner, `STORE 1 +FLAGS (${all})`);
  const inbox = `"Other Users/${ownerAddress}/INBOX"`;
  await demandOk(guest, 'SELECT INBOX');
  await demandOk(guest, 'STORE 1 FLAGS (\\Flagged other k7)');
  assert.match((await ask(guest, `COPY 1 ${inbox}`)).end, /^OK \[COPYUID \d+ 1 2\]/);
  await demandOk(owner, 'NOOP');
  assert.match((await demandOk(owner, 'FETCH 2 FLAGS')).at(-1) ?? '', /^\* 2 FETCH \(FLAGS \(\\Recent \\Flagged k7\)\)$/);
  await demandOk(guest, `STORE 1 FLAGS (${all.split(' ').slice(1).join(' ')})`); // with `other` the guest has 32, too, but not k0
  await demandOk(guest, `SELECT ${inbox}`);
  assert.match((await ask(guest, 'COPY 1 INBOX')).end, /^OK \[COPYUID \d+ 1 2\]/);
  await demandOk(guest, 'SELECT INBOX');
  assert.equal((await demandOk(guest, 'FETCH 2 FLAGS')).at(-1), `* 2 FETCH (FLAGS (\\Recent k7 ${all.split(' ').filter((name) => name !== 'k0' && name !== 'k7').join(' ')}))`);
  owner.close();
  guest.close();
});
