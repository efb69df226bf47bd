/** One user's heavy commands on a worker process leave room for everybody else's: what others wait for a NOOP meanwhile is bounded. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as https from 'node:https';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';

let cluster: Cluster;
let heavy: ImapSession;
let other: ImapSession;

/** Of one worker's time, what one command may take in one piece: a busy test machine makes of 30 ms many times as much. */
const longestWaitMs = 400;

before(async () => {
  cluster = await startCluster({ nodes: ['be1', 'fe1'] });
  heavy = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice', patienceMs: 60_000 });
  other = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice', patienceMs: 60_000 });
  const subject = 'a subject with =?utf-8?Q?w=C3=B6rter?= in it';
  const message = `From: bob@example.com\r\nTo: alice@example.com\r\nSubject: ${subject}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nhello\r\n`;
  await append(message);
  await heavy.ok('SELECT INBOX');
  for (let doubling = 0; doubling < 13; doubling += 1) await heavy.ok('COPY 1:* INBOX');
  await heavy.ok('CREATE big');
  await append(`From: bob@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${'Ein langer Text mit Wörtern, in dem niemand etwas findet. \r\n'.repeat(300_000)}`, 'big');
});
after(async () => {
  heavy.close();
  other.close();
  await cluster.stop();
});

async function append(message: string, mailbox = 'INBOX'): Promise<void> {
  const bytes = Buffer.from(message);
  heavy.dialogue.say(`p APPEND ${mailbox} {${String(bytes.length)}}`);
  await heavy.dialogue.expect(/^\+/);
  heavy.dialogue.sayRaw(Buffer.concat([bytes, Buffer.from('\r\n')]));
  await heavy.dialogue.until(/^p OK/);
}

/** What the event loop of be1's worker was late since it was last asked, milliseconds. */
async function lagMs(): Promise<number> {
  const text = await new Promise<string>((resolve, reject) => {
    https.get({ host: '127.0.0.1', port: cluster.port('be1', 'admin'), path: '/metrics', rejectUnauthorized: false, agent: false }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => { body += data.toString(); });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
  return 1000 * Number(/^waybill_event_loop_lag_seconds\{quantile="1"\} (\S+)$/m.exec(text)?.[1]);
}

/** The longest that the other session waited for a NOOP while the command ran, and that the worker was late. */
async function waitsDuring(work: () => Promise<unknown>): Promise<{ readonly noopMs: number; readonly lagMs: number }> {
  let over = false;
  let noopMs = 0;
  await lagMs();
  const running = work().finally(() => { over = true; });
  while (!over) {
    const began = performance.now();
    await other.ok('NOOP');
    noopMs = Math.max(noopMs, performance.now() - began);
  }
  await running;
  return { noopMs, lagMs: await lagMs() };
}

const commands = [
  ['INBOX', 'SEARCH SUBJECT nothing'],
  ['INBOX', 'SEARCH SENTSINCE 1-Jan-2026 SUBJECT nothing'],
  ['INBOX', 'SEARCH OR FROM nobody BODY nothing'],
  ['INBOX', 'FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)'],
  ['INBOX', 'FETCH 1:* (FLAGS UID INTERNALDATE)'],
  ['INBOX', 'STORE 1:* +FLAGS (\\Flagged)'],
  ['big', 'SEARCH BODY nothing'],
] as const;

for (const [mailbox, command] of commands) {
  test(`others go on during ${command}`, async (context) => {
    await heavy.ok(`SELECT ${mailbox}`);
    const waits = await waitsDuring(async () => {
      heavy.dialogue.sayRaw(`h ${command}\r\n`);
      await heavy.dialogue.bytesUntil('h OK');
      await heavy.dialogue.line();
    });
    context.diagnostic(`NOOP ${String(Math.round(waits.noopMs))} ms, lag ${String(Math.round(waits.lagMs))} ms`);
    assert.ok(waits.lagMs < longestWaitMs, `the worker was late by ${String(Math.round(waits.lagMs))} ms`);
  });
}
