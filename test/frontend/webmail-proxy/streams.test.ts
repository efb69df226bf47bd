/** Bodies in both directions: nothing is gathered on the way, a slow end slows the other, and whoever leaves leaves no connection behind. */
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { cookieOf, frontEndBefore, otherBackend, usualLimits, waitUntil } from './other-backend.ts';
import type { OtherBackend } from './other-backend.ts';

const cookie = cookieOf('alice@example.com');
const headers = { cookie, 'waybill-request': 'user' };
const megabyte = 2 ** 20;

/** What may be on the way: the kernel alone holds up to 10 MB for each of the two connections (4 to send, 6 received). */
const mostOnTheWay = 25 * megabyte;

function get(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(url, { rejectUnauthorized: false, agent: false, headers });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      answer.on('error', () => undefined);
      resolve(answer);
    });
    sent.end();
  });
}

test('50 MB go up while the back-end reads them, and wait while it does not', async (t) => {
  const bodies: IncomingMessage[] = [];
  const answers: ServerResponse[] = [];
  const backend = await otherBackend(t, {
    answer: (request, response) => {
      bodies.push(request.pause());
      answers.push(response);
    },
  });
  const url = await frontEndBefore(t, { be1: backend });
  const size = 50 * megabyte;
  const sent = httpsRequest(`${url}/api/send`, { method: 'POST', rejectUnauthorized: false, agent: false, headers: { ...headers, 'content-length': String(size) } });
  const answer = new Promise<IncomingMessage>((resolve) => sent.once('response', resolve));
  let given = 0;
  const pump = (): void => {
    while (given < size) {
      const piece = Buffer.alloc(Math.min(65_536, size - given), 'x');
      given += piece.length;
      if (!sent.write(piece)) {
        sent.once('drain', pump);
        return;
      }
    }
    sent.end();
  };
  pump();
  assert.ok(await waitUntil(() => bodies.length === 1));
  let before = -1;
  while (before !== given) {
    before = given;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.diagnostic(`taken from the client while the back-end reads nothing: ${(given / megabyte).toFixed(1)} MB of ${String(size / megabyte)}`);
  assert.ok(given < mostOnTheWay);
  let read = 0;
  bodies[0]?.on('data', (piece: Buffer) => {
    read += piece.length;
  });
  bodies[0]?.on('end', () => answers[0]?.end('{}')).resume();
  assert.equal((await answer).statusCode, 200);
  assert.equal(read, size);
});

test('an answer waits for a client that does not read, and comes whole to one that does', async (t) => {
  let written = 0;
  const size = 50 * megabyte;
  const backend = await otherBackend(t, {
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': String(size) });
      const pump = (): void => {
        while (written < size) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536, 'y'))) {
            response.once('drain', pump);
            return;
          }
        }
        response.end();
      };
      pump();
    },
  });
  const url = await frontEndBefore(t, { be1: backend });
  const answer = await get(`${url}/api/large`);
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.diagnostic(`taken from the back-end while the client reads nothing: ${(written / megabyte).toFixed(1)} MB of ${String(size / megabyte)}`);
  assert.ok(written < mostOnTheWay);
  let read = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) read += piece.length;
  assert.equal(read, size);
});

test('each piece of a stream passes at once', async (t) => {
  const answers: ServerResponse[] = [];
  const backend = await otherBackend(t, { answer: (_, response) => void answers.push(response) });
  const url = await frontEndBefore(t, { be1: backend });
  const opening = get(`${url}/api/events`);
  assert.ok(await waitUntil(() => answers.length === 1));
  answers[0]?.writeHead(200, { 'content-type': 'text/event-stream' });
  answers[0]?.flushHeaders();
  const answer = await opening;
  for (let turn = 0; turn < 5; turn += 1) {
    const heard = new Promise<string>((resolve) => answer.once('data', (piece: Buffer) => resolve(piece.toString())));
    const began = Date.now();
    answers[0]?.write(`data: ${String(turn)}\n\n`);
    assert.equal(await heard, `data: ${String(turn)}\n\n`);
    assert.ok(Date.now() - began < 500);
  }
  answer.destroy();
  assert.ok(await waitUntil(() => backend.sockets.size === 0));
});

/** Streams take no place from requests. */
test('a hundred open streams leave the connections of requests free', async (t) => {
  const backend = await otherBackend(t, { answer: (request, response) => (request.url === '/api/events' ? response.flushHeaders() : response.end('{}')) });
  const url = await frontEndBefore(t, { be1: backend }, { limits: { ...usualLimits, queue: { ...usualLimits.queue, connections: 2, connectionsPerUser: 2, maxWaiting: 0 } } });
  const streams = await Promise.all(Array.from({ length: 100 }, async () => get(`${url}/api/events`)));
  assert.equal((await get(`${url}/api/session`)).statusCode, 200);
  for (const stream of streams) stream.destroy();
  assert.ok(await waitUntil(() => backend.sockets.size <= 1), `${String(backend.sockets.size)} connections are left`);
});

async function noneLeft(backend: OtherBackend, at: string): Promise<void> {
  assert.ok(await waitUntil(() => backend.sockets.size === 0), `${at}: ${String(backend.sockets.size)} connections are left`);
}

test('clients that leave in the middle, before the answer, in it or in their own body, leave nothing behind', async (t) => {
  let began = 0;
  const backend = await otherBackend(t, {
    answer: (request, response) => {
      began += 1;
      request.resume();
      if (request.url === '/api/half') response.writeHead(200, { 'content-length': '1000000' }).write('half');
    },
  });
  const url = await frontEndBefore(t, { be1: backend }, { limits: { ...usualLimits, queue: { ...usualLimits.queue, connections: 20, connectionsPerUser: 20 } } });
  const half = await Promise.all(Array.from({ length: 20 }, async () => get(`${url}/api/half`)));
  for (const answer of half) answer.destroy();
  await noneLeft(backend, 'in the answer');
  began = 0;
  const leave = async (method: string, extra: Readonly<Record<string, string>>, bytes: Buffer): Promise<void> => {
    const sent = Array.from({ length: 20 }, () => httpsRequest(`${url}/api/never`, { method, rejectUnauthorized: false, agent: false, headers: { ...headers, ...extra } }));
    for (const each of sent) {
      each.on('error', () => undefined);
      if (bytes.length === 0) each.end();
      else each.write(bytes);
    }
    assert.ok(await waitUntil(() => began === 20), `${String(began)} of 20`);
    for (const each of sent) each.destroy();
  };
  await leave('GET', {}, Buffer.alloc(0));
  await noneLeft(backend, 'before the answer');
  began = 0;
  await leave('POST', { 'content-length': '1000000' }, Buffer.alloc(300_000));
  await noneLeft(backend, 'in the body');
});

test('half an answer is never taken for the whole: the client\'s connection is cut where the back-end\'s was', async (t) => {
  const backend = await otherBackend(t, {
    answer: (request, response) => {
      response.writeHead(200, request.url === '/api/length' ? { 'content-length': '1000' } : {}).write('half');
      setTimeout(() => request.socket.destroy(), 50);
    },
  });
  const url = await frontEndBefore(t, { be1: backend });
  for (const path of ['/api/length', '/api/chunks']) {
    const answer = await get(`${url}${path}`);
    await assert.rejects(async () => {
      for await (const piece of answer) assert.equal(String(piece), 'half');
    }, /aborted|reset/i, path);
  }
  await noneLeft(backend, 'after it');
});
