/** The gate before TCP, TLS, HTTP and HTTPS servers: PROXY headers from balancers, and connections counted by address. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { before, test } from 'node:test';
import type { TestContext } from 'node:test';
import * as tls from 'node:tls';
import { ConnectionCounts } from '../../../shared/access/connection-counts.ts';
import { Door } from '../../../shared/access/door.ts';
import type { DoorOptions } from '../../../shared/access/door.ts';
import { parseIpSet } from '../../../shared/access/ip-set.ts';
import { parseNetwork } from '../../../shared/access/network.ts';
import { serveHttp } from '../../../shared/http/http-service.ts';
import { createLog } from '../../../shared/log/log.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { snapshot } from '../../../shared/metrics/metrics.ts';
import { listen } from '../../../shared/net/listener.ts';
import type { ListenOptions } from '../../../shared/net/listener.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import type { ServerTls } from '../../../shared/net/server-tls.ts';
import { WorkerSiblings } from '../../../shared/service/siblings.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import { proxyHeaderV2, tlv } from '../../harness/proxy-headers.ts';

const log = createLog({ node: 'test', level: 'silent' });
const balancers = { networks: [parseNetwork('127.0.0.9')], trustTls: 'no' } as const;
const version1 = Buffer.from('PROXY TCP4 192.0.2.77 192.0.2.1 4711 143\r\n');
const overTls = proxyHeaderV2({ address: '192.0.2.77', port: 4711, tlvs: [tlv(0x20, Buffer.from([1, 0, 0, 0, 0]))] });
let serverTls: ServerTls;

before(async () => {
  const { fe1 } = await makeCertificates({ fe1: 'frontend' });
  assert.ok(fe1);
  serverTls = createServerTls(fe1);
});

/** A listener that tells every client whom it sees, then what the client said. */
async function startTeller(t: TestContext, options: Partial<ListenOptions> = {}): Promise<number> {
  const open = new Set<Connection>();
  const listener = await listen({ host: '127.0.0.1', port: 0, tls: 'none', serverTls, requestCertificate: 'no', protocol: 'imap', log, ...options }, (socket) => {
    const connection = new Connection(socket, { maxLineBytes: 1000, idleTimeoutMs: 5000 });
    open.add(connection);
    void (async () => {
      const line = (await connection.readLine()) ?? 'nothing';
      await connection.write(`${connection.remoteAddress} ${String(connection.remotePort)} ${String(connection.encrypted)} ${line}\r\n`);
    })();
  });
  t.after(async () => {
    for (const connection of open) connection.destroy();
    await listener.close();
  });
  return listener.port;
}

/** Connects from an address of this machine and sends the bytes; answers all that comes back until a line or the end. */
async function say(t: TestContext, place: { readonly port: number; readonly from: string; readonly talk?: 'tls' }, pieces: readonly Buffer[]): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port: place.port, localAddress: place.from });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (place.talk === undefined) return firstLine(socket);
  const secure = tls.connect({ socket, rejectUnauthorized: false });
  secure.on('error', () => undefined);
  secure.write('hello\r\n');
  return firstLine(secure);
}

async function firstLine(socket: net.Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1');
    if (text.includes('\n')) break;
  }
  return text.trim();
}

test('behind a balancer the connection is the client\'s, for both versions, whole or in pieces', async (t) => {
  const place = { port: await startTeller(t, { balancers }), from: '127.0.0.9' };
  const hello = Buffer.from('hello\r\n');
  const inPieces = [...overTls].map((byte) => Buffer.of(byte));
  for (const pieces of [[version1, hello], [Buffer.concat([version1, hello])], [Buffer.concat([overTls, hello])], [...inPieces, hello]]) {
    assert.equal(await say(t, place, pieces), '192.0.2.77 4711 false hello');
  }
});

test('the same before TLS', async (t) => {
  const place = { port: await startTeller(t, { balancers, tls: 'implicit' }), from: '127.0.0.9', talk: 'tls' } as const;
  assert.equal(await say(t, place, [version1]), '192.0.2.77 4711 true hello');
  assert.equal(await say(t, place, [overTls]), '192.0.2.77 4711 true hello');
  assert.match(await say(t, { ...place, from: '127.0.0.1' }, []), /^127\.0\.0\.1 \d+ true hello$/);
});

test('TLS that a balancer ended counts only where it is trusted', async (t) => {
  const hello = Buffer.from('hello\r\n');
  const trusting = await startTeller(t, { balancers: { ...balancers, trustTls: 'yes' } });
  assert.equal(await say(t, { port: trusting, from: '127.0.0.9' }, [overTls, hello]), '192.0.2.77 4711 true hello');
  assert.equal(await say(t, { port: trusting, from: '127.0.0.9' }, [version1, hello]), '192.0.2.77 4711 false hello');
  assert.match(await say(t, { port: trusting, from: '127.0.0.1' }, [hello]), / false hello$/);
});

test('LOCAL is the balancer itself', async (t) => {
  const port = await startTeller(t, { balancers });
  assert.match(await say(t, { port, from: '127.0.0.9' }, [proxyHeaderV2({ command: 0, address: '192.0.2.7' }), Buffer.from('hello\r\n')]), /^127\.0\.0\.9 \d+ false hello$/);
});

test('a client that is no balancer is not believed: its header is a bad command', async (t) => {
  const port = await startTeller(t, { balancers });
  assert.match(await say(t, { port, from: '127.0.0.8' }, [version1]), /^127\.0\.0\.8 \d+ false PROXY TCP4/);
});

test('a balancer without a good header is cut off, and what it sent is never taken as data', async (t) => {
  const warnings: unknown[] = [];
  const watched = createLog({ node: 'test', level: 'silent' });
  watched.warn = (fields: unknown) => void warnings.push(fields);
  const port = await startTeller(t, { balancers, log: watched });
  for (const text of ['hello\r\n', 'PROXY TCP4 1.2.3.4\r\nhello\r\n']) assert.equal(await say(t, { port, from: '127.0.0.9' }, [Buffer.from(text)]), '');
  assert.equal(await say(t, { port, from: '127.0.0.9' }, []), '', 'silence is cut after the time limit');
  assert.deepEqual(warnings, [
    { balancer: '127.0.0.9', reason: 'no PROXY header' }, { balancer: '127.0.0.9', reason: 'bad addresses' }, { balancer: '127.0.0.9', reason: 'none within 5000 ms' },
  ]);
});

test('HTTP and HTTPS see the client too', async (t) => {
  const service = await serveHttp({
    name: 'web', serverTls, log, requestCertificate: () => 'no',
    listeners: [{ host: '127.0.0.1', port: 0, tls: 'none', balancers }, { host: '127.0.0.1', port: 0, tls: 'implicit', balancers }],
    limits: { maxHeaderBytes: 8192, requestTimeoutMs: 5000, idleTimeoutMs: 1000 },
    handle: async ({ request, response }) => {
      response.end(`${request.socket.remoteAddress ?? ''}\n`);
      await Promise.resolve();
    },
  });
  t.after(async () => service.stop(100));
  const [plain = 0, secure = 0] = service.ports;
  const request = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  assert.match(await whole(t, { port: plain, header: version1, request: `${request}` }), /192\.0\.2\.77/);
  assert.match(await whole(t, { port: secure, header: overTls, request, talk: 'tls' }), /192\.0\.2\.77/);
});

async function whole(t: TestContext, how: { readonly port: number; readonly header: Buffer; readonly request: string; readonly talk?: 'tls' }): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port: how.port, localAddress: '127.0.0.9' });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  // Header and request in one segment: nothing of it may get lost between gate and HTTP.
  socket.write(how.talk === undefined ? Buffer.concat([how.header, Buffer.from(how.request)]) : how.header);
  const stream = how.talk === undefined ? socket : tls.connect({ socket, rejectUnauthorized: false });
  if (how.talk === 'tls') stream.write(how.request);
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString('latin1');
  return text;
}

/** Alone at its node. */
function doorOf(options: Partial<DoorOptions>): Door {
  const siblings = new WorkerSiblings((report) => {
    if (report.kind === 'ask') setImmediate(() => siblings.receive({ kind: 'asked', round: report.round, others: [] }));
  });
  const none = { allow: [], deny: [] };
  return new Door({
    listener: 'here', service: 'imap', ipv6Prefix: 64, counts: new ConnectionCounts({ workers: 1, siblings }),
    rules: { listener: none, service: none, global: none, serviceRule: { enable: true, priority: 65_535 } },
    limits: { listener: {}, service: {} },
    ...options,
  });
}

/** What this process has counted for the listener `here`, by the last label of the family. */
function counted(name: string): Readonly<Record<string, number>> {
  const series = snapshot().find((family) => family.name === name)?.series ?? [];
  return Object.fromEntries(series.map(({ labels, values }) => [labels.at(-1) ?? '', values[0] ?? 0]));
}

test('rules and limits hold for the client that the balancer names; refusals are told and counted, and who leaves makes room', async (t) => {
  const deny = [{ name: '192.0.2.66', ipSet: parseIpSet('192.0.2.66'), enable: true, priority: 1 }];
  const door = doorOf({
    limits: { listener: { peerMaxConnections: 2 }, service: {} },
    rules: { listener: { allow: [], deny }, service: { allow: [], deny: [] }, global: { allow: [], deny: [] }, serviceRule: { enable: true, priority: 65_535 } },
  });
  const port = await startTeller(t, { balancers, door });
  const hold = async (client: string): Promise<{ readonly socket: net.Socket; readonly first: string }> => {
    const socket = net.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.9' });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(`PROXY TCP4 ${client} 192.0.2.1 1 1\r\nhello\r\n`);
    return { socket, first: await new Promise((resolve) => {
      socket.once('data', (data) => resolve(data.toString().trim()));
      socket.once('close', () => resolve('closed'));
    }) };
  };
  const open = [await hold('192.0.2.7'), await hold('192.0.2.7')];
  assert.match(open[1]?.first ?? '', /^192\.0\.2\.7/);
  assert.equal((await hold('192.0.2.7')).first, '* BYE [UNAVAILABLE] too many connections from your address, try again later');
  assert.match((await hold('192.0.2.8')).first, /^192\.0\.2\.8/, 'another address is not concerned');
  assert.equal((await hold('192.0.2.66')).first, 'closed', 'who is denied hears nothing');
  assert.deepEqual([counted('waybill_connections_open'), counted('waybill_connections_accepted')], [{ here: 3 }, { here: 3 }]);
  assert.deepEqual(counted('waybill_connections_refused'), { denied: 1, peerMaxConnections: 1 });
  open[0]?.socket.destroy();
  let again = await hold('192.0.2.7');
  while (again.first.startsWith('* BYE')) again = await hold('192.0.2.7'); // until the server has seen the end
  assert.match(again.first, /^192\.0\.2\.7/);
});

test('where TLS comes first, a client that is one too many hears so by TLS', async (t) => {
  const door = doorOf({ limits: { listener: {}, service: { maxConnections: 1 } } });
  const port = await startTeller(t, { door, tls: 'implicit' });
  const talk = (): tls.TLSSocket => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    t.after(() => socket.destroy());
    return socket;
  };
  const first = talk();
  first.write('hello\r\n');
  assert.match(await firstLineOf(first), /^127\.0\.0\.1 \d+ true hello/);
  assert.equal(await firstLine(talk()), '* BYE [UNAVAILABLE] too many connections, try again later');
});

async function firstLineOf(socket: net.Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString().trim();
}
