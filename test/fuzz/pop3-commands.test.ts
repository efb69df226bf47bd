/**
 * What logged-in clients may send by POP3 to a maildrop of real messages, whole and damaged ones: every session ends with its client, meets no internal error,
 * and leaves the process with no more than before. WAYBILL_FUZZ_SEED repeats a run, WAYBILL_FUZZ_RUNS makes it longer.
 */
import assert from 'node:assert/strict';
import * as tls from 'node:tls';
import { after, before, test } from 'node:test';
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import fc from 'fast-check';
import { deliver, inboxOf, password, startServer } from '../backend/pop3/harness.ts';
import type { TestServer } from '../backend/pop3/harness.ts';
import { readRealMail, realMailNames } from '../shared/mime/real-mail.ts';
import { fuzzRuns, fuzzSeed as seed } from './settings.ts';
import { mixed } from './words.ts';
import type { Segments } from './words.ts';

const atOnce = 8;
const users = 4;
const mostGrowthBytes = 4 * 1024 * 1024;
const patienceMs = 60_000;

const commands = mixed([
  'STAT\r\n', 'LIST\r\n', 'LIST 1\r\n', 'LIST 0\r\n', 'LIST 99999999999999999999\r\n', 'UIDL\r\n', 'UIDL 2\r\n', 'RETR 1\r\n', 'RETR 2\r\n', 'RETR 7\r\n', 'RETR -1\r\n', 'RETR 1 1\r\n', 'retr 3\r\n', 'TOP 1 0\r\n', 'TOP 3 99999999999999999999\r\n', 'TOP 4 10\r\n',
  'TOP 1\r\n', 'DELE 1\r\n', 'DELE 5\r\n', 'RSET\r\n', 'NOOP\r\n', 'UTF8\r\n', 'LANG de\r\n', 'LANG ', 'CAPA\r\n', 'STLS\r\n', 'USER x\r\n', 'PASS x\r\n', 'AUTH PLAIN\r\n', 'XCLIENT ADDR=::1\r\n', 'QUIT\r\n', 'RETR ', 'TOP ', '1', ' ', '-', '1e3', '\r\n', '\n', '\r', '\0', '.\r\n', '\xff\xfe', '\xe2\x80\xa8',
]);

let server: TestServer;
let visits = 0;

before(async () => {
  server = await startServer({ limits: { maxErrors: 1000 } });
  const mails = realMailNames.slice(0, 6).map(readRealMail);
  const odd = [Buffer.from('Subject: \xfc\xff\r\n\r\n.\r\n..\r\n', 'latin1'), Buffer.from('\r\n'), Buffer.from(`To: ${'ü <ü@ü>,'.repeat(2000)}\r\n\r\nx`)];
  for (let user = 0; user < users; user += 1) await deliver(server, `fuzz${String(user)}@example.com`, ...mails, ...odd);
  process.stdout.write(`# WAYBILL_FUZZ_SEED=${String(seed)}\n`);
});
after(async () => server.stop());

/** Logs in, sends it all, ends its side (where a reply is waited for, after that), and answers what came until the server ended its own. */
async function visit(segments: Segments, reply?: string): Promise<string> {
  visits += 1;
  const socket = tls.connect({ host: '127.0.0.1', port: server.ports.tls, rejectUnauthorized: false });
  const chunks: Buffer[] = [];
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket.destroy();
  }, patienceMs);
  socket.on('error', () => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  const heard = async (text: string): Promise<void> => new Promise((resolve) => {
    socket.on('data', () => {
      if (chunks.length < 10 && Buffer.concat(chunks).includes(text)) resolve();
    });
  });
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const open = heard('+OK maildrop');
  const replied = reply === undefined ? undefined : heard(reply);
  socket.write(`USER fuzz${String(visits % users)}@example.com\r\nPASS ${password}\r\n`);
  await Promise.race([open, closed]);
  for (const segment of segments) {
    if (socket.destroyed) break;
    await new Promise<void>((resolve) => socket.write(segment, () => setImmediate(resolve)));
  }
  await (replied && Promise.race([replied, closed])); // who hangs up is owed none
  socket.end();
  await closed;
  clearTimeout(timer);
  assert.ok(!late, `still open after ${String(patienceMs)} ms`);
  return Buffer.concat(chunks).toString('latin1');
}

async function attack(): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(commands, { minLength: atOnce, maxLength: atOnce }), async (batch) => {
      for (const answer of await Promise.all(batch.map(async (segments) => visit(segments)))) {
        assert.match(answer, /^\+OK [^\r\n]*\r\n\+OK [^\r\n]*\r\n\+OK maildrop has \d/);
        assert.doesNotMatch(answer, /internal error|interner Fehler/);
      }
    }),
    { seed, numRuns: fuzzRuns(10), endOnFailure: true },
  );
}

function heldBytes(): number {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('Sessions end when their clients do, nothing in them is an internal error, and afterwards the process holds no more than before', { timeout: 600_000 }, async () => {
  await attack();
  const before = heldBytes();
  await attack();
  const grown = heldBytes() - before;
  assert.ok(grown < mostGrowthBytes, `${String(Math.round(grown / 1024))} kB more are in use`);
});

test('What was marked as deleted in a session that did not say QUIT is there afterwards', { timeout: 60_000 }, async () => {
  const next = `fuzz${String((visits + 1) % users)}@example.com`;
  await deliver(server, next, Buffer.from('Subject: stays\r\n\r\n'));
  const inbox = await inboxOf(server, next);
  const held = inbox.rows().length;
  assert.match(await visit([Buffer.from('DELE 1\r\n')], 'octets)\r\n+OK '), /maildrop has [^\r\n]*\r\n\+OK [^\r\n]*\r\n$/);
  assert.equal(inbox.rows().length, held);
});
