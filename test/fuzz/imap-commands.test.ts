/**
 * What logged-in clients may send by IMAP, with real messages as seeds, in the clear and compressed: no session hangs, meets an internal error or
 * harms another one, and in the end the process holds no more than before. WAYBILL_FUZZ_SEED repeats a run, WAYBILL_FUZZ_RUNS makes it longer.
 */
import assert from 'node:assert/strict';
import * as tls from 'node:tls';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { Dialogue } from '../harness/dialogue.ts';
import { password, startServer } from '../backend/imap/harness.ts';
import type { TestServer } from '../backend/imap/harness.ts';
import { imapSessions } from './imap-words.ts';
import { fuzzRuns, fuzzSeed as seed } from './settings.ts';
import type { Segments } from './words.ts';

const runs = fuzzRuns(8);
const atOnce = 8;
/** Ten rounds of attacks after the first one differed by 1 MB at most. */
const mostGrowthBytes = 4 * 1024 * 1024;
const patienceMs = 60_000;

let server: TestServer;
let users = 0;

before(async () => {
  server = await startServer({ limits: { maxMessageBytes: 50_000, maxErrors: 1000 }, quotaBytes: 200_000 });
  process.stdout.write(`# WAYBILL_FUZZ_SEED=${String(seed)}\n`);
});
after(async () => server.stop());

type Form = 'clear' | 'compressed' | 'compressed and damaged';

/** Sends it all, ends its side, and answers what came until the server ended its own. */
async function visit(segments: Segments, form: Form): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', port: server.ports.tls, rejectUnauthorized: false });
  const chunks: Buffer[] = [];
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket.destroy();
  }, patienceMs);
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  socket.on('error', () => socket.destroy());
  const begun = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).includes('begin OK')) resolve();
    });
  });
  users += 1;
  socket.write(`l LOGIN fuzz${String(users % 20)}@example.com "${password}"\r\nbegin ${form === 'clear' ? 'NOOP' : 'COMPRESS DEFLATE'}\r\n`);
  await Promise.race([begun, closed]);
  const from = chunks.length;
  for (const segment of form === 'clear' ? segments : compressed(segments, form)) {
    if (socket.destroyed) break;
    await new Promise<void>((resolve) => socket.write(segment, () => setImmediate(resolve)));
  }
  socket.end();
  await closed;
  clearTimeout(timer);
  assert.ok(!late, `still open after ${String(patienceMs)} ms`);
  const answer = Buffer.concat(chunks.slice(from));
  return form === 'clear' ? answer.toString('latin1') : unfolded(answer);
}

function compressed(segments: Segments, form: Form): Segments {
  const stream = zlib.deflateRawSync(Buffer.concat(segments), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  if (form === 'compressed and damaged') stream[Math.floor(stream.length / 2)] = 0xff;
  return [stream.subarray(0, 100), stream.subarray(100)];
}

function unfolded(bytes: Buffer): string {
  return zlib.inflateRawSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString('latin1');
}

async function attack(form: Form): Promise<void> {
  const batch = fc.array(fc.oneof(imapSessions.clear, imapSessions.pieces), { minLength: atOnce, maxLength: atOnce });
  await fc.assert(
    fc.asyncProperty(batch, async (visits) => {
      for (const answer of await Promise.all(visits.map(async (segments) => visit(segments, form)))) assert.doesNotMatch(answer, /SERVERBUG|internal error/);
    }),
    { seed, numRuns: runs, endOnFailure: true },
  );
}

const forms: readonly Form[] = ['clear', 'compressed', 'compressed and damaged'];

for (const form of forms) {
  test(`Sessions that are ${form === 'clear' ? 'in the clear' : form} end when their clients do, and nothing in them is an internal error.`, { timeout: 600_000 }, async () => attack(form));
}

test('Afterwards the process holds no more than before, and users are served.', { timeout: 600_000 }, async () => {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  // Streams of sessions that have just ended let go of some 9 MB a moment later (zlib's windows, TLS): what stays is the least within a while.
  const inUse = async (): Promise<number> => {
    let least = Infinity;
    for (let unchanged = 0; unchanged < 10; unchanged += 1) {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      if (heapUsed + external < least - 64 * 1024) unchanged = 0;
      least = Math.min(least, heapUsed + external);
      await sleep(100);
    }
    return least;
  };
  const held = await inUse();
  for (const form of forms) await attack(form);
  const grown = await inUse() - held;
  assert.ok(grown < mostGrowthBytes, `${String(Math.round(grown / 1024))} kB more are in use`);
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`l LOGIN served@example.com "${password}"`);
  await dialogue.until(/^l OK/);
  dialogue.close();
});

test('A literal of hostile size is refused at once, in every command and before login: without waiting for it, by what can be understood.', { timeout: 60_000 }, async () => {
  const hostile = async (command: string, answer: RegExp): Promise<void> => {
    const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
    await dialogue.expect(/^\* OK/);
    dialogue.sayRaw(command.replaceAll('LOGGED IN', `l LOGIN hostile@example.com "${password}"`));
    if (command.startsWith('LOGGED IN')) await dialogue.until(/^l OK/);
    await dialogue.expect(answer);
    dialogue.close();
  };
  for (const size of ['70000', '99999999999', '9'.repeat(40)]) {
    for (const command of ['a LOGIN ', 'a ID (', 'LOGGED IN\r\na SELECT ', 'LOGGED IN\r\na SEARCH TEXT ', 'LOGGED IN\r\na URLFETCH ', 'LOGGED IN\r\na RENAME a ']) await hostile(`${command}{${size}}\r\n`, /^a BAD \[TOOBIG\]/);
    await hostile(`LOGGED IN\r\na APPEND INBOX {${size}}\r\n`, /^a NO \[TOOBIG\]/);
    await hostile(`LOGGED IN\r\na APPEND INBOX CATENATE (TEXT ~{${size}}\r\n`, /^a NO \[TOOBIG\]/);
  }
  for (const size of ['99999999999', '9'.repeat(40)]) {
    for (const command of ['a LOGIN ', 'LOGGED IN\r\na SELECT ', 'LOGGED IN\r\na APPEND INBOX ', 'LOGGED IN\r\na APPEND INBOX CATENATE (TEXT ', 'LOGGED IN\r\na APPEND INBOX CATENATE (URL ', 'LOGGED IN\r\nb SELECT INBOX\r\na REPLACE 1 Nowhere ']) {
      const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
      dialogue.sayRaw(`${command.replaceAll('LOGGED IN', `l LOGIN hostile@example.com "${password}"`)}{${size}+}\r\n`);
      await dialogue.until(/^\* BYE \[TOOBIG\]/);
      await dialogue.closed();
    }
  }
});
