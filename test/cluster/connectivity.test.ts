/** Listeners, rules and limits as clients meet them, on one cluster: every kind of address, every limit, every refusal, and a change while sessions are open. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as fs from 'node:fs';
import * as https from 'node:https';
import * as net from 'node:net';
import * as path from 'node:path';
import * as tls from 'node:tls';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';

let cluster: Cluster;

/** The port of fe1's first listener of a service: fe1 stands first in the document. */
function portIn(yaml: string, service: string): number {
  return Number(new RegExp(`${service}:\\n {8}listeners:\\n {10}- \\{ address: "127\\.0\\.0\\.1:(\\d+)"`).exec(yaml)?.[1]);
}

/** The listeners that fe1 has besides those of the demo, on other addresses and the same ports. */
function moreListeners(yaml: string, folder: string): Readonly<Record<string, readonly string[]>> {
  const [smtp, imap, pop3, web] = ['smtpProxy', 'imapProxy', 'pop3Proxy', 'webmailProxy'].map((service) => String(portIn(yaml, service)));
  return {
    smtpProxy: [
      `address: "127.0.2.1:${String(smtp)}", kind: mx, peerMaxIntervalConnections: 2, peerTimeInterval: 86400`,
      `address: "127.0.2.9:${String(smtp)}", kind: mx, enable: false`,
    ],
    imapProxy: [
      `address: "127.0.2.1:${String(imap)}", maxConnections: 2`,
      `address: "127.0.2.2:${String(imap)}", maxIntervalConnections: 2, timeInterval: 86400`,
      `address: "127.0.2.3:${String(imap)}", tls: implicit, minTlsVersion: TLSv1.3, maxConnections: 1`,
      `address: "127.0.2.4:${String(imap)}", tls: starttls, ciphers: "ECDHE-RSA-AES256-GCM-SHA384"`,
      `address: "127.0.2.5:${String(imap)}", allowRules: [{ ipSet: 127.0.3.0/24, peerMaxConnections: 1, maxConnections: 2 }], denyRules: [{ ipSet: any, priority: 200 }]`,
      `address: "[::1]:${String(imap)}"`,
      'address: "systemd:mail-in"',
    ],
    pop3Proxy: [`address: "127.0.2.1:${String(pop3)}", peerMaxConnections: 2`, `address: "unix:${folder}/pop3.sock", mode: "0600", idleTimeoutSeconds: 5`],
    webmailProxy: [`address: "127.0.2.1:${String(web)}", peerMaxConnections: 1`, `address: "127.0.2.2:${String(web)}", maxConnections: 1`],
  };
}

function changeConfig(yaml: string, folder: string): string {
  let text = yaml.replace('loopbackOnly: true ', 'loopbackOnly: false').replace('  fe1:\n', '  fe1:\n    workers: 2\n');
  for (const [service, lines] of Object.entries(moreListeners(yaml, folder))) {
    text = text.replace(`      ${service}:\n        listeners:\n`, `      ${service}:\n        listeners:\n${lines.map((line) => `          - { ${line} }\n`).join('')}`);
  }
  return text.replace('      pop3Proxy:\n', '      pop3Proxy:\n        denyRules: [{ ipSet: 127.0.6.1-127.0.6.9 }]\n');
}

/** The socket that systemd would open has a port that nothing else of fe1 has. */
const activatedPort = (adminPort: number): number => adminPort + 1;

before(async () => {
  cluster = await startCluster({
    nodes: ['be1', 'fe1'],
    changeConfig,
    wrap: {
      fe1: (command, folder) => {
        const port = activatedPort(portIn(fs.readFileSync(path.join(folder, 'waybill.yaml'), 'utf8'), 'admin'));
        return [process.execPath, path.resolve(import.meta.dirname, '..', 'harness', 'socket-activation.ts'), String(port), 'mail-in', ...command];
      },
    },
  });
});
after(async () => cluster.stop());

type Where = Omit<Parameters<typeof Dialogue.connect>[0], 'port'> & { readonly port?: number };

/** Connects to fe1; answers what it says first, `closed` when it says nothing, and the dialogue to go on with. */
async function visit(service: string, where: Where): Promise<{ readonly first: string; readonly dialogue: Dialogue | undefined }> {
  const dialogue = await Dialogue.connect({ port: cluster.port('fe1', service), ...where }).catch(() => undefined);
  return { dialogue, first: (await dialogue?.line().catch(() => 'closed')) ?? 'closed' };
}

/** Connects so often, one after the other, and holds all; answers what each was told. */
async function visits(count: number, service: string, where: Where): Promise<{ readonly told: readonly string[]; readonly close: () => void }> {
  const all: Awaited<ReturnType<typeof visit>>[] = [];
  for (let visitor = 0; visitor < count; visitor += 1) all.push(await visit(service, where));
  return { told: all.map(({ first }) => first), close: () => { for (const { dialogue } of all) dialogue?.close(); } };
}

/** The lines of fe1's /metrics. */
async function metrics(): Promise<readonly string[]> {
  return (await fetchFrom({ host: '127.0.0.1', port: cluster.port('fe1', 'admin'), path: '/metrics' })).body.split('\n');
}

test('listeners on IPv6, on a Unix socket and on a socket that systemd opened serve like others; a disabled one does not listen', async () => {
  const v6 = await visit('imap', { host: '::1' });
  const file = path.join(cluster.folder, 'pop3.sock');
  const unix = await visit('pop3', { path: file });
  const activated = await visit('imap', { port: activatedPort(cluster.port('fe1', 'admin')) });
  for (const { first } of [v6, activated]) assert.match(first, /^\* OK /);
  assert.match(unix.first, /^\+OK /);
  assert.equal((fs.statSync(file).mode & 0o777).toString(8), '600');
  assert.equal((await visit('smtp', { host: '127.0.2.9' })).first, 'closed');
  // The client of a Unix socket is on this machine, and its listener has an idle time of its own.
  unix.dialogue?.say('CAPA');
  await unix.dialogue?.expect(/^\+OK/);
  for (const { dialogue } of [v6, unix, activated]) dialogue?.close();
});

test('IMAP: a full listener says BYE [UNAVAILABLE], also by TLS; other listeners of the service are not concerned', async () => {
  const plain = await visits(3, 'imap', { host: '127.0.2.1' });
  assert.match(plain.told[1] ?? '', /^\* OK/);
  assert.equal(plain.told[2], '* BYE [UNAVAILABLE] too many connections, try again later');
  const secure = await visits(2, 'imap', { host: '127.0.2.3', tls: 'implicit' });
  assert.match(secure.told[0] ?? '', /^\* OK/);
  assert.equal(secure.told[1], '* BYE [UNAVAILABLE] too many connections, try again later');
  assert.match((await visit('imap', { host: '127.0.2.4' })).first, /^\* OK/);
  for (const each of [plain, secure]) each.close();
});

test('IMAP: new connections within an interval are limited, whether they stay or go', async () => {
  for (const expected of [/^\* OK/, /^\* OK/, /^\* BYE \[UNAVAILABLE\] too many connections, try/]) {
    const { first, dialogue } = await visit('imap', { host: '127.0.2.2' });
    assert.match(first, expected);
    dialogue?.close();
  }
});

test('SMTP: 421 4.7.0 for one address with too many new connections, and for nobody else', async () => {
  const { told, close } = await visits(3, 'smtp', { host: '127.0.2.1', from: '127.0.4.1' });
  assert.match(told[1] ?? '', /^220 /);
  assert.equal(told[2], '421 4.7.0 too many connections from your address, try again later');
  assert.match((await visit('smtp', { host: '127.0.2.1', from: '127.0.4.2' })).first, /^220 /);
  close();
});

test('POP3: -ERR [SYS/TEMP] for one address with too many connections; a deny rule of the service closes without a word', async () => {
  const { told, close } = await visits(3, 'pop3', { host: '127.0.2.1', from: '127.0.4.1' });
  assert.match(told[1] ?? '', /^\+OK/);
  assert.equal(told[2], '-ERR [SYS/TEMP] too many connections from your address, try again later');
  assert.equal((await visit('pop3', { from: '127.0.6.5' })).first, 'closed');
  assert.match((await visit('pop3', { from: '127.0.6.10' })).first, /^\+OK/);
  close();
});

test('HTTP: 429 for one address, 503 for all, both with Retry-After', async () => {
  const held = ['127.0.2.1', '127.0.2.2'].map((host) => tls.connect({ host, port: cluster.port('fe1', 'https'), rejectUnauthorized: false }));
  await Promise.all(held.map(async (socket) => new Promise((resolve) => socket.once('secureConnect', resolve))));
  for (const [host, status, words] of [['127.0.2.1', 429, 'too many connections from your address'], ['127.0.2.2', 503, 'too many connections,']] as const) {
    const answer = await fetchFrom({ host, port: cluster.port('fe1', 'https'), path: '/' });
    assert.deepEqual([answer.status, answer.retryAfter], [status, '5']);
    assert.match(answer.body, new RegExp(words));
  }
  for (const socket of held) socket.destroy();
});

async function fetchFrom(target: { readonly host: string; readonly port: number; readonly path: string }): Promise<{ readonly status: number | undefined; readonly retryAfter: string | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    https.get({ ...target, rejectUnauthorized: false, agent: false }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => { body += data.toString(); });
      response.on('end', () => resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'], body }));
    }).on('error', reject);
  });
}

test('an allow rule has limits for each of its addresses and for all of them; whom no rule but the last allows is cut off', async () => {
  const from = async (address: string): Promise<string> => (await visit('imap', { host: '127.0.2.5', from: address })).first;
  assert.match(await from('127.0.3.1'), /^\* OK/);
  assert.match(await from('127.0.3.1'), /^\* BYE \[UNAVAILABLE\] too many connections from your address/);
  assert.match(await from('127.0.3.2'), /^\* OK/);
  assert.match(await from('127.0.3.3'), /^\* BYE \[UNAVAILABLE\] too many connections,/);
  assert.equal(await from('127.0.4.1'), 'closed');
});

test('TLS versions and ciphers are a listener\'s own, for STARTTLS too', async () => {
  const port = cluster.port('fe1', 'imap');
  const handshake = async (socket: net.Socket | undefined, options: tls.ConnectionOptions): Promise<string> => new Promise((resolve) => {
    const secure = tls.connect({ ...(socket === undefined ? { host: '127.0.2.3', port } : { socket }), rejectUnauthorized: false, ...options }, () => {
      resolve(`${String(secure.getProtocol())} ${secure.getCipher().standardName}`);
      secure.destroy();
    });
    secure.on('error', () => resolve('refused'));
  });
  assert.equal(await handshake(undefined, { maxVersion: 'TLSv1.2' }), 'refused');
  assert.match(await handshake(undefined, {}), /^TLSv1\.3/);
  const plain = net.connect({ host: '127.0.2.4', port });
  await new Promise((resolve) => plain.once('data', resolve));
  plain.write('a STARTTLS\r\n');
  await new Promise((resolve) => plain.once('data', resolve));
  assert.equal(await handshake(plain, { maxVersion: 'TLSv1.2' }), 'TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384');
});

test('connections and refusals are counted by listener and reason over all workers, as is the lag of the event loops', async () => {
  const lines = await metrics();
  const refused = (address: string, service: string): readonly string[] => {
    const listener = `listener="${address}:${String(cluster.port('fe1', service))}"`;
    return lines.filter((line) => line.startsWith('waybill_connections_refused_total') && line.includes(listener)).map((line) => line.replace(/^.*reason="(\w+)"\} /, '$1 '));
  };
  assert.deepEqual(refused('127.0.2.1', 'imap'), ['maxConnections 1']);
  assert.deepEqual(refused('127.0.2.2', 'imap'), ['maxIntervalConnections 1']);
  assert.deepEqual(refused('127.0.2.1', 'smtp'), ['peerMaxIntervalConnections 1']);
  assert.deepEqual(refused('127.0.2.1', 'pop3'), ['peerMaxConnections 1']);
  assert.deepEqual(refused('127.0.0.1', 'pop3'), ['denied 1']);
  const families = new Set(lines.filter((line) => /^waybill_\w*connections?_refused/.test(line)).map((line) => line.replace(/\{.*$/, '')));
  assert.deepEqual([...families], ['waybill_connections_refused_total'], 'a refused connection is counted once');
  assert.ok(lines.some((line) => /^waybill_connections_open\{.*listener="\[::1\]/.test(line)), 'open');
  assert.ok(lines.some((line) => line.startsWith('waybill_event_loop_lag_seconds{')), 'lag');
});

test('a change of rules holds for new connections at once; open sessions go on, and still count', async () => {
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  const held = await visits(2, 'pop3', { host: '127.0.2.1', from: '127.0.4.7' });
  const yaml = fs.readFileSync(cluster.configFile, 'utf8');
  fs.writeFileSync(cluster.configFile, yaml.replace('denyRules: [{ ipSet: 127.0.6.1-127.0.6.9 }]', 'denyRules: [{ ipSet: 127.0.7.0/24 }]').replace('peerMaxConnections: 2 }', 'peerMaxConnections: 3 }'));
  await logLine(cluster, 'fe1', { words: ['runs the new configuration'], patienceMs: 60_000 });
  assert.match((await visit('pop3', { from: '127.0.6.5' })).first, /^\+OK/);
  assert.equal((await visit('pop3', { from: '127.0.7.5' })).first, 'closed');
  const late = await visits(2, 'pop3', { host: '127.0.2.1', from: '127.0.4.7' });
  assert.match(late.told[0] ?? '', /^\+OK/, 'three may be open now');
  assert.match(late.told[1] ?? '', /^-ERR \[SYS\/TEMP\]/, 'two of them at the workers that retire');
  assert.match((await visit('pop3', { path: path.join(cluster.folder, 'pop3.sock') })).first, /^\+OK/);
  assert.match((await visit('imap', { port: activatedPort(cluster.port('fe1', 'admin')) })).first, /^\* OK/);
  await session.ok('NOOP');
  session.close();
  for (const each of [held, late]) each.close();
});
