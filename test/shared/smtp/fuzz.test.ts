/**
 * What strangers may send before they have said who they are: any words, in any order, cut anywhere. Never a crash, a hang, an
 * answer that is none, or memory that isn't given back. The seed is printed: see test/fuzz/settings.ts.
 */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';
import type { SmtpSaslExchange } from '../../../shared/smtp/strict-connection.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { fuzzRuns, fuzzSeed as seed } from '../../fuzz/settings.ts';
import { startRecordingServer } from './recording-server.ts';
import type { Recorded } from './recording-server.ts';

const numRuns = fuzzRuns(60);
const patienceMs = 10_000;

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

const commands = fc.constantFrom(
  'EHLO c', 'HELO c', 'LHLO c', 'EHLO', `EHLO ${'x'.repeat(400)}`, 'NOOP', 'RSET', 'VRFY x', 'HELP', 'EXPN x', 'STARTTLS now', 'QUIT', '', ' ', '.', '..', '*', '=',
  'MAIL FROM:<s@example.net>', 'MAIL FROM:<>', 'MAIL FROM:<s@example.net> SIZE=99999999999999999999', 'MAIL FROM:<s@example.net> BODY=BINARYMIME', 'MAIL FROM:<a@b> ENVID=+0D+0A SMTPUTF8=1',
  'MAIL FROM:<@a,@b:c@d> RET=FULL RET=HDRS', 'MAIL FROM:s', 'RCPT TO:<r@example.com>', 'RCPT TO:<postmaster>', 'RCPT TO:<r@example.com> NOTIFY=NEVER,SUCCESS', 'RCPT TO:<r@x> ORCPT=;', 'RCPT TO:<>', 'RCPT TO:<"a b"@[IPv6:::1]>',
  'DATA', 'DATA x', 'BDAT 0', 'BDAT 0 LAST', 'BDAT 5', 'BDAT 7000 LAST', 'BDAT 3 LAST', 'BDAT', 'BDAT -1', 'BDAT 99999999999999',
  'AUTH', 'AUTH PLAIN', `AUTH PLAIN ${base64('\0a\0right')}`, `AUTH PLAIN ${base64('\0a\0wrong')}`, 'AUTH PLAIN =', 'AUTH PLAIN ====', 'AUTH LOGIN', 'AUTH SCRAM-SHA-1', 'AUTH X x x x', base64('a'), base64('right'),
  'XCLIENT ADDR=1.2.3.4 LOGIN=root', 'XFORWARD ADDR=1.2.3.4', 'GET / HTTP/1.1', 'ＥＨＬＯ c', 'MAIL FROM:<\u200b@example.net>',
);
const words = fc.oneof(
  { weight: 8, arbitrary: commands.map((line) => Buffer.from(`${line}\r\n`)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\n.\r\n', '.\r\n', 'text\r\n', '\0\r\n').map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 30_000 }).map((length) => Buffer.alloc(length, 'y')) },
);
const talks = fc.record({ words: fc.array(words, { maxLength: 25 }), segment: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 50, max: 4000 })), greeting: fc.constantFrom('EHLO c\r\n', '') });

/** LOGIN-like: two challenges, then the answer. */
function exchange(): SmtpSaslExchange {
  const heard: string[] = [];
  return {
    step: async (response) => {
      await Promise.resolve();
      if (response !== undefined) heard.push(response.toString());
      if (heard.length < 2 && heard[0]?.includes('\0') !== true) return { kind: 'challenge', data: Buffer.from('say') };
      if (heard.join('\0').endsWith('right')) return { kind: 'user', user: 'a' };
      throw new SmtpRefused('auth', makeReply(535, '5.7.8', 'authentication failed'));
    },
  };
}

/** Ends whatever is under way, be it a message, a chunk or AUTH, and then the session. */
const farewell = Buffer.from(`\r\n.\r\n*\r\n${'NOOP\r\n'.repeat(1200)}QUIT\r\n`);

/** Says all of it, and the farewell; answers what the server said until it closed, which it must do by itself. */
async function talk(port: number, bytes: Buffer, segment: number): Promise<string> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setNoDelay(true);
  let heard = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => { heard += text; });
  socket.on('error', () => undefined); // the server may close while we talk
  socket.once('end', () => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.once('data', () => resolve()));
  for (let at = 0; at < bytes.length && socket.writable; at += segment) {
    socket.write(bytes.subarray(at, at + segment));
    if (at % (segment * 8) === 0) await sleep(0);
  }
  const inTime = await Promise.race([closed.then(() => true), sleep(patienceMs, false, { ref: false })]);
  socket.destroy();
  assert.ok(inTime, `the server did not end the session; it said:\n${heard.slice(-500)}`);
  return heard;
}

/** Lines with codes; what must have an enhanced code has one of the same class (RFC 2034 section 4). */
function checkReplies(heard: string): void {
  assert.ok(heard.endsWith('\r\n'), `unfinished: ${JSON.stringify(heard.slice(-100))}`);
  const lines = heard.slice(0, -2).split('\r\n');
  let inHello = false;
  for (const [index, line] of lines.entries()) {
    assert.match(line, /^[2-5]\d\d[ -][\t -~\x80-\xff]*$/u);
    const isHello: boolean = inHello || (/^250[ -]mx\.example\.com$/.test(line));
    inHello = isHello && line[3] === '-';
    if (index === 0 || isHello || line.startsWith('3') || /^50[01] Error: (Syntax|syntax|LHLO|Bad hostname)/.test(line)) continue;
    assert.match(line, /^([245])\d\d[ -]\1\.\d{1,3}\.\d{1,3}( |$)/);
  }
}

/** Memory in use after collection, bytes. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 3; turn += 1) collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

async function fuzz(t: TestContext, server: Recorded): Promise<void> {
  const run = async ({ words: said, segment, greeting }: { words: Buffer[]; segment: number; greeting: string }): Promise<void> => {
    checkReplies(await talk(server.port, Buffer.concat([Buffer.from(greeting), ...said, farewell]), segment));
  };
  const property = fc.asyncProperty(talks, run);
  await fc.assert(property, { numRuns: 30, seed, endOnFailure: true }); // everything is loaded and warm
  server.messages.splice(0);
  server.events.splice(0);
  server.peers.splice(0);
  const before = memoryInUse();
  await fc.assert(property, { numRuns, seed: seed + 1, endOnFailure: true });
  server.messages.splice(0);
  server.events.splice(0);
  server.peers.splice(0);
  await sleep(200);
  const grown = memoryInUse() - before;
  t.diagnostic(`WAYBILL_FUZZ_SEED=${String(seed)}, ${String(numRuns)} runs, memory grew by ${String(Math.round(grown / 1024))} kB`);
  assert.ok(grown < 3_000_000 + numRuns * 2000, `${String(grown)} bytes more in use after ${String(numRuns)} sessions`);
  const client = await Dialogue.connect({ port: server.port });
  t.after(() => client.close());
  await client.reply(220);
  await client.ask('EHLO c', 250);
}

test('mail from the world: whatever is said, the server answers, ends the session and forgets it', async (t) => {
  await fuzz(t, await startRecordingServer(t, { limits: { maxMessageBytes: 100_000 } }));
});

test('submission: the same with AUTH of several steps', async (t) => {
  await fuzz(t, await startRecordingServer(t, {
    authentication: 'required', limits: { maxMessageBytes: 100_000 },
    handlers: { mechanisms: () => new Map([['PLAIN', exchange], ['LOGIN', exchange], ['SCRAM-SHA-1', exchange]]) },
  }));
});
