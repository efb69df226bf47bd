/**
 * Everything that strangers can reach before a login, fed with broken grammar over real sockets, many connections at the same
 * time, cut into segments anywhere: no process ends, no connection hangs, nothing is logged as an error, and in the end the same
 * processes hold as much as before. WAYBILL_FUZZ_SEED repeats a run, WAYBILL_FUZZ_RUNS makes it longer.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as tls from 'node:tls';
import fc from 'fast-check';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { workersOf } from '../harness/workers.ts';
import { descriptorsOf, settledDescriptors, usedBytesOf } from './process-watch.ts';
import { fuzzRuns, fuzzSeed as seed } from './settings.ts';
import { words } from './words.ts';
import type { Segments } from './words.ts';

/** Batches for each listener. */
const runs = fuzzRuns(10);
const atOnce = 12;
/** Of memory in use after a collection, by as many connections as `runs` makes; what is remembered of clients (guesses) is in it. */
const mostGrowthBytes = 4 * 1024 * 1024;
/** Guesses of passwords wait, the machine may be busy; a hang takes longer than both. */
const patienceMs = 60_000;
const balancer = '127.60.0.1';
const mechanisms = '[SCRAM-SHA-256, SCRAM-SHA-1, OAUTHBEARER, XOAUTH2, PLAIN, LOGIN]';

let cluster: Cluster;
let processes: ReadonlyMap<string, number>;
let strangers = 0;

before(async () => {
  const keys = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  cluster = await startCluster({ nodes: [], changeConfig: (yaml) => yaml
    // The reader may not see passwords.
    .replace(/bindDn: cn=waybill.*\n(\s*)bindPassword: .*\n/, 'bindDn: "cn=admin,dc=example,dc=com"\n$1bindPassword: { file: secrets/directory-admin }\n')
    .replace('type: ldapBind, connector: directory', 'type: ldapPassword, connector: directory, scram: [SCRAM-SHA-256, SCRAM-SHA-1]')
    .replace('  userMaps:\n', '  oauth: { issuers: [{ issuer: "https://login.example.com", audience: mail, keysFile: keys.json }] }\n  userMaps:\n')
    .replace(/(webmailProxy:\s+listeners:\s+- \{ address: "[^"]+", tls:) implicit/, '$1 none')
    .replace('\nnodes:\n', `
frontends:
  proxyProtocolFrom: [${balancer}]
  services:
    imapProxy: { plainConnAuthTypes: ${mechanisms}, allowClearTextLogin: true }
    pop3Proxy: { plainConnAuthTypes: ${mechanisms}, allowClearTextLogin: true }
    smtpProxy: { plainConnAuthTypes: ${mechanisms}, allowClearTextLogin: true }

nodes:
`) });
  writeFileSync(join(cluster.folder, 'keys.json'), JSON.stringify({ keys: [{ ...keys, kid: 'k', use: 'sig' }] }));
  await cluster.startNode('be1');
  await cluster.startNode('fe1');
  const workers = (['fe1', 'be1'] as const).map((node): [string, number] => [node, workersOf(cluster.pid(node))[0] ?? 0]);
  processes = new Map([...workers, ['directory', cluster.pid('directory')]]);
  process.stdout.write(`# WAYBILL_FUZZ_SEED=${String(seed)}\n`);
});
after(async () => cluster.stop());

interface Place {
  readonly title: string;
  readonly port: () => number;
  readonly words: fc.Arbitrary<Segments>;
  /** The address to come from; one of its own for each connection when absent. */
  readonly from?: string;
  /** What is sent goes through a handshake. */
  readonly throughTls?: 'yes';
}

const places: readonly Place[] = [
  { title: 'IMAP of a front-end', port: () => cluster.port('fe1', 'imap'), words: words.imap },
  { title: 'POP3 of a front-end', port: () => cluster.port('fe1', 'pop3'), words: words.pop3 },
  { title: 'mail to a front-end', port: () => cluster.port('fe1', 'smtp'), words: words.smtp },
  { title: 'submission to a front-end', port: () => cluster.port('fe1', 'submission'), words: words.smtp },
  { title: 'mail to a back-end', port: () => cluster.port('be1', 'smtp'), words: words.smtp },
  { title: 'IMAP of a back-end', port: () => cluster.port('be1', 'imap'), words: words.imap },
  { title: 'POP3 of a back-end', port: () => cluster.port('be1', 'pop3'), words: words.pop3 },
  { title: 'WebMail of a front-end', port: () => cluster.port('fe1', 'https'), words: words.http },
  { title: 'the embedded directory', port: () => Number(new URL(cluster.ldap.uri).port), words: words.ldap },
  { title: 'PROXY headers before IMAP', port: () => cluster.port('fe1', 'imap'), words: words.proxy, from: balancer },
  { title: 'PROXY headers before TLS', port: () => cluster.port('fe1', 'pop3s'), words: words.proxy, from: balancer },
  { title: 'TLS of IMAP', port: () => cluster.port('fe1', 'imaps'), words: words.tls },
  { title: 'TLS between nodes', port: () => cluster.port('be1', 'imaps'), words: words.tls },
  { title: 'TLS of the admin API', port: () => cluster.port('fe1', 'admin'), words: words.tls },
  { title: 'the admin API', port: () => cluster.port('fe1', 'admin'), words: words.http, throughTls: 'yes' },
];

/** Sends the segments, ends its side, and waits for the server to end. */
async function visit(place: Place, segments: Segments): Promise<void> {
  strangers += 1;
  const localAddress = place.from ?? `127.61.${String(Math.floor(strangers / 250) % 250)}.${String((strangers % 250) + 1)}`;
  const bare = net.connect({ host: '127.0.0.1', port: place.port(), localAddress, noDelay: true });
  const socket = place.throughTls === undefined ? bare : tls.connect({ socket: bare, rejectUnauthorized: false });
  const closed = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${place.title}: still open after ${String(patienceMs)} ms`));
    }, patienceMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  socket.on('error', () => socket.destroy());
  socket.resume();
  for (const segment of segments) {
    if (socket.destroyed) break;
    await new Promise<void>((resolve) => socket.write(segment, () => setImmediate(resolve)));
  }
  socket.end();
  await closed;
}

async function attack(place: Place, numRuns: number): Promise<void> {
  const batch = fc.array(place.words, { minLength: atOnce, maxLength: atOnce });
  await fc.assert(
    fc.asyncProperty(batch, async (visits) => {
      await Promise.all(visits.map(async (segments) => visit(place, segments)));
      assertAlive();
    }),
    { seed, numRuns, endOnFailure: true },
  );
}

function assertAlive(): void {
  for (const [node, pid] of processes) {
    if (node !== 'directory') assert.deepEqual(workersOf(cluster.pid(node as 'fe1' | 'be1')), [pid], `the worker of ${node} was replaced`);
    descriptorsOf(pid);
  }
}

/** Lines of level error or worse (pino's 50), and what the runtime says by itself. */
function complaints(): readonly string[] {
  return (['fe1', 'be1', 'directory'] as const).flatMap((node) => cluster.log(node).split('\n').filter((line) => line !== '' && (!line.startsWith('{') || /"level":[56]0/.test(line)))).filter((line) => !/ExperimentalWarning|^(?:Debugger|For help, see:|Starting inspector)/.test(line));
}

function lastWords(): string {
  return (['fe1', 'be1', 'directory'] as const).map((node) => `\n${node}:\n${cluster.log(node).slice(-3000)}`).join('');
}

for (const place of places) {
  test(`${place.title}: nothing ends, hangs, or is logged as an error`, async () => {
    await attack(place, runs);
    assert.deepEqual(complaints(), []);
  });
}

async function memory(): Promise<ReadonlyMap<string, number>> {
  const used = new Map<string, number>();
  for (const [node, pid] of processes) used.set(node, await usedBytesOf(pid, () => cluster.log(node as 'fe1')));
  return used;
}

test('memory and descriptors are what they were when all of it is done once more, and users are served', async () => {
  const descriptors = new Map([...processes].map(([node, pid]) => [node, descriptorsOf(pid)]));
  const before = await memory();
  for (const place of places) await attack(place, runs);
  for (const [node, pid] of processes) {
    const most = (descriptors.get(node) ?? 0) + 2;
    const now = await settledDescriptors(pid, most);
    assert.ok(now <= most, `${node}: ${String(now)} descriptors, at most ${String(most)} wanted`);
  }
  const now = await memory();
  for (const [node, bytes] of now) {
    const grown = bytes - (before.get(node) ?? 0);
    process.stdout.write(`# ${node}: ${String(Math.round(bytes / 1024))} kB in use, ${String(Math.round(grown / 1024))} more than before\n`);
    assert.ok(grown < mostGrowthBytes, `${node} has grown by ${String(Math.round(grown / 1024))} kB`);
  }
  assertAlive(); // who is not served has the reason from here
  assert.deepEqual(complaints(), []);
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' }).catch((error: unknown) => {
    throw new Error(`alice is not served; the last words of the processes: ${lastWords()}`, { cause: error });
  });
  await imap.ok('SELECT INBOX');
  imap.close();
  (await Pop3Session.logIn(cluster, { node: 'fe1', user: 'alice' })).close();
  const { uri, adminDn, adminPassword } = cluster.ldap;
  assert.equal((await runTool('ldapwhoami', { uri, as: [adminDn, adminPassword], input: '' })).code, 0);
  assert.deepEqual(complaints(), []);
});
