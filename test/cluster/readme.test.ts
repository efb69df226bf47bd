/** The commands that the README shows are typed as they stand there, against a cluster on other ports and in another folder. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';

const root = resolve(import.meta.dirname, '..', '..');
/** README's ports count from this one. */
const demoBase = 10_000;

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(async () => cluster.stop());

/** The indented blocks of the README's part "Use it". */
function blocks(): string[] {
  const part = readFileSync(resolve(root, 'README.md'), 'utf8').split('### Use it')[1]?.split('\n## ')[0] ?? '';
  const found = part.matchAll(/(?:^ {4}.*\n(?:\n(?= {4}))?)+/gm);
  return [...found].map(([block]) => block.replaceAll(/^ {4}/gm, ''));
}

/** The block that begins so, for this cluster: its ports, its authority. */
function block(beginning: string): string {
  const found = blocks().find((text) => text.startsWith(beginning));
  assert.ok(found, `the README has no block that begins with ${beginning}`);
  const base = cluster.port('fe1', 'smtp') - 25;
  return found
    .replaceAll(/\b([123]\d{4})\b/g, (port) => String(Number(port) - demoBase + base))
    .replaceAll('waybill-data/tls/authority.pem', cluster.authorityFile);
}

/** Types the lines into a shell that stops at the first failure; resolves with what they print. */
async function type(lines: string, input = ''): Promise<string> {
  return new Promise((done, reject) => {
    const child = execFile('bash', ['-e', '-o', 'pipefail', '-c', lines], { cwd: root, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else reject(new Error(`${lines}\n${stdout}\n${stderr}`, { cause: error }));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

test('swaks brings mail from outside, and submits', async () => {
  const [outside = '', submission = ''] = block('swaks').split(/\n(?=swaks|openssl)/);
  assert.match(await type(outside), /250 2\.6\.0/);
  const withTls = existsSync('/usr/share/doc/libnet-ssleay-perl');
  if (withTls) assert.match(await type(submission), /235 [\s\S]*250 2\.6\.0/);
  // One of the two recipients may get it out of the queue of the other's back-end, moments after the reply.
  const alice = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  await alice.findSoon('Hello both');
  await alice.ok('LOGOUT');
});

test('curl lists and reads, over both front-ends, and sends', async () => {
  const [ca = '', list = '', read = '', ...rest] = block('CA=').split('\n');
  assert.match(await type(`${ca}\n${list}`), /\* LIST \(.*\) "\/" INBOX/);
  assert.match(await type(`${ca}\n${read}`), /Subject: Hello both/);
  await type([ca, ...rest].join('\n'));
});

test('openssl opens a session by hand', async () => {
  const openssl = block('swaks').split('\n').find((line) => line.startsWith('openssl')) ?? '';
  const talk = "(sleep 1; printf 'a LOGIN alice waybill-demo\\nb SELECT INBOX\\nc FETCH 1:* (FLAGS ENVELOPE)\\nd LOGOUT\\n'; sleep 1)";
  assert.match(await type(`${talk} | ${openssl}`), /a OK [\s\S]*Hello both[\s\S]*d OK/);
});

test('the directory is read and changed by the LDAP tools, and the new user can log in', async () => {
  assert.match(await type(block('ldapsearch')), /mailHost: be1[\s\S]*adding new entry "uid=mallory/);
  assert.match(await type(`${block('CA=').split('\n')[0] ?? ''}\ncurl -sS $CA -u mallory@example.com:secret imaps://localhost:${String(cluster.port('fe2', 'imaps'))}/`), /INBOX/);
});
