/** The bare server of the store bench does what it says: it finds the ends of commands, gives UIDs, keeps flags, and what it has answered is in its files. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openRoot } from '../../../../backend/storage/lmdb-root.ts';
import { writeCertificates } from '../../../harness/host-certificates.ts';
import { imapSession, lmtpSession } from '../mail-store.ts';
import { startBareStore } from './bare-store.ts';
import type { BareStore } from './bare-store.ts';
import type { Durability } from './record-batches.ts';

const few = { mailbox: 'Few', messages: 3 };

async function started(t: TestContext, durability: Durability): Promise<{ readonly store: BareStore; readonly written: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'bare-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await writeCertificates(folder, { server: { dnsNames: ['localhost'] } });
  const store = await startBareStore(durability, { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }, [few]);
  t.after(async () => store.stop());
  const index = durability === 'indexed' ? openRoot(join(store.folder, 'index')) : undefined;
  t.after(async () => index?.close());
  // What is in the index, then what is in files.
  const written = (): string => {
    index?.resetReadTxn();
    const records = [...index?.getRange() ?? []].map(({ value }) => value.toString('latin1'));
    return [...records, ...readdirSync(store.folder).filter((name) => name.startsWith('mail-')).map((name) => readFileSync(join(store.folder, name), 'latin1'))].join('');
  };
  return { store, written };
}

for (const durability of ['flushed', 'indexed', 'not flushed'] as const) {
  test(`the bare server finds the ends of literals, gives UIDs and has messages on disk when it answers (${durability})`, async (t) => {
    const { store, written } = await started(t, durability);
    const wire = await imapSession(store, 'ada');
    t.after(() => wire.end());
    const misleading = 'Subject: {3+}\r\n\r\nx OK\r\n';
    assert.equal(await wire.read(`a APPEND INBOX {${String(misleading.length)}+}\r\n${misleading}\r\n`, 'a OK'), 'a OK [APPENDUID 1 1] done\r\n');
    assert.match(written(), /^APPEND ada INBOX 1 \d+ 23\n[^]*x OK\r\n$/);
    assert.ok(written().endsWith(`\n${misleading}`));
    const large = 'a line {7+}\r\n'.repeat(30_000); // comes in several pieces
    await wire.ask(`b APPEND INBOX (\\Seen) {${String(large.length)}}\r\n`, '+ ');
    assert.equal(await wire.read(`${large}\r\n`, 'b OK'), 'b OK [APPENDUID 1 2] done\r\n');
    assert.match(written(), new RegExp(`APPEND ada INBOX 2 \\d+ ${String(large.length)}\n`));
    assert.ok(written().endsWith(large));
    assert.match(await wire.read('s SELECT INBOX\r\n', 's OK'), /^\* 2 EXISTS\r\n[^]*UIDNEXT 3\]/);
    await assert.rejects(wire.ask('n NOOP\r\n', 'n OK'), /BAD/);
  });

  test(`the bare server keeps flags and has their changes on disk when it answers (${durability})`, async (t) => {
    const { store, written } = await started(t, durability);
    const wire = await imapSession(store, 'ada');
    t.after(() => wire.end());
    await wire.ask(`s SELECT ${few.mailbox}\r\n`, 's OK');
    assert.equal(await wire.read('a STORE 2 +FLAGS (\\Answered)\r\n', 'a OK'), '* 2 FETCH (FLAGS (\\Answered))\r\na OK done\r\n');
    assert.equal(await wire.read('b STORE 1:* +FLAGS.SILENT (\\Seen)\r\n', 'b OK'), 'b OK done\r\n');
    assert.equal(await wire.read('c STORE 2 -FLAGS (\\Answered)\r\n', 'c OK'), '* 2 FETCH (FLAGS (\\Seen))\r\nc OK done\r\n');
    const all = 'STORE ada Few 1 3 +\\Seen\n';
    const last = 'STORE ada Few 2 2 -\\Answered\n';
    assert.equal(written(), durability === 'indexed' ? all + last : `STORE ada Few 2 2 +\\Answered\n${all}${last}`);
  });
}

test('the bare server takes deliveries without the dots that were put before others', async (t) => {
  const { store, written } = await started(t, 'flushed');
  const wire = await lmtpSession(store);
  t.after(() => wire.end());
  for (const turn of [1, 2]) {
    await wire.ask('MAIL FROM:<>\r\nRCPT TO:<ada@example.com>\r\nRCPT TO:<ben@example.com>\r\nDATA\r\n', '354');
    assert.equal(await wire.read('Subject: x\r\n\r\n..\r\n..one\r\n.\r\n', '250 '), '250 done\r\n250 done\r\n');
    assert.match(written(), new RegExp(`DELIVER ada@example.com ${String(turn)} ben@example.com ${String(turn)} \\d+ 23\nSubject: x\r\n\r\n\\.\r\n\\.one\r\n$`));
  }
});
