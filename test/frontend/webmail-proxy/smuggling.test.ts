/** A request hidden in the body of another never reaches a back-end: there it would speak with the front-end's word for who asks. */
import { createServer } from 'node:https';
import * as tls from 'node:tls';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { cookieName, signSession } from '../../../shared/session-cookie/session-cookie.ts';
import { clusterFor } from '../../backend/webmail/harness.ts';
import { certificateOf, cookieSecret } from '../../harness/webmail-cluster.ts';

const alice = 'alice@example.com';
const nowMs = Date.now();
const cookie = `${cookieName}=${signSession({ address: alice, epoch: 1, session: 's', signedInAtMs: nowMs, seenAtMs: nowMs }, cookieSecret)}`;
const hidden = 'GET /hidden HTTP/1.1\r\nhost: x\r\nx-waybill-user: carol@example.com\r\nx-waybill-epoch: 1\r\n\r\n';
const length = `content-length: ${String(hidden.length)}`;
const chunked = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

const shapes: Readonly<Record<string, readonly [head: string, body: string]>> = {
  'a GET whose Connection field names content-length': [`GET /api/x HTTP/1.1\r\nconnection: content-length\r\n${length}`, hidden],
  'a POST whose Connection field names content-length': [`POST /api/x HTTP/1.1\r\nconnection: content-length\r\n${length}`, hidden],
  'a DELETE whose Connection field names content-length': [`DELETE /api/x HTTP/1.1\r\nconnection: content-length\r\n${length}`, hidden],
  'a GET in chunks whose Connection field names transfer-encoding': ['GET /api/x HTTP/1.1\r\nconnection: transfer-encoding\r\ntransfer-encoding: chunked', chunked],
  'a GET in chunks': ['GET /api/x HTTP/1.1\r\ntransfer-encoding: chunked', chunked],
  'a DELETE in chunks': ['DELETE /api/x HTTP/1.1\r\ntransfer-encoding: chunked', chunked],
  'an OPTIONS in chunks': ['OPTIONS /api/x HTTP/1.1\r\ntransfer-encoding: chunked', chunked],
};

for (const [shape, [head, body]] of Object.entries(shapes)) {
  test(`${shape} carries no second request`, async (t) => {
    const { port, asked } = await recordingBackend(t);
    const { certificate, key, authority } = certificateOf('fe1');
    const target = { host: '127.0.0.1', port, tls: { cert: certificate, key, ca: authority, servername: 'localhost' } };
    const cluster = await clusterFor(t, { proxy: { backendFor: (node) => ({ node, ...target }) } });
    await send(Number(new URL(cluster.urls[0]).port), `${head}\r\nhost: x\r\ncookie: ${cookie}\r\nwaybill-request: user\r\n\r\n${body}`);
    assert.deepEqual(asked.filter((line) => !line.endsWith(` /api/x ${alice}`)), []);
  });
}

/** Answers everything; `asked` says what and for whom. */
async function recordingBackend(t: TestContext): Promise<{ readonly port: number; readonly asked: readonly string[] }> {
  const { certificate, key } = certificateOf('be1');
  const asked: string[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    asked.push(`${String(request.method)} ${String(request.url)} ${String(request.headers['x-waybill-user'])}`);
    request.resume();
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, asked };
}

/** Sends the bytes and waits for an answer, and a moment longer for what may follow it. */
async function send(port: number, bytes: string): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  let received = '';
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      resolve();
    });
    socket.on('close', () => resolve());
    socket.write(bytes);
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.destroy();
  return received;
}
