/** The finer rules of HTTP at a front-end, byte by byte: methods, ranges, expectations, pipelining, hosts, and whose word counts on where a client is. */
import * as tls from 'node:tls';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseNetwork } from '../../../shared/access/network.ts';
import { cookieOf, frontEndBefore, otherBackend, usualLimits } from './other-backend.ts';
import type { OtherBackend } from './other-backend.ts';

const alice = 'alice@example.com';
const who = `host: mail.example.com\r\ncookie: ${cookieOf(alice)}\r\nwaybill-request: user\r\n`;

interface Talk {
  readonly say: (text: string) => void;
  readonly until: (pattern: RegExp) => Promise<string>;
  readonly ended: Promise<string>;
}

async function talk(url: string, text = ''): Promise<Talk> {
  const socket = tls.connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false });
  let received = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    received += piece;
  });
  const ended = new Promise<string>((resolve) => {
    socket.on('error', () => resolve(received));
    socket.on('close', () => resolve(received));
  });
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
  socket.write(text);
  return {
    ended,
    say: (more) => void socket.write(more),
    until: async (pattern) => {
      for (const endMs = Date.now() + 15_000; !pattern.test(received); await new Promise((resolve) => setTimeout(resolve, 10))) {
        if (Date.now() > endMs) throw new Error(`not heard: ${String(pattern)}; heard: ${received}`);
      }
      return received;
    },
  };
}

function head(received: string): string {
  return received.slice(0, received.indexOf('\r\n\r\n'));
}

test('HEAD gets the fields and no body; a range is passed on and so is 206', async (t) => {
  const bytes = 'abcdefghij';
  const backend = await otherBackend(t, {
    answer: ({ method, headers: { range } }, response) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
      if (from === undefined || to === undefined) response.writeHead(200, { 'content-length': String(bytes.length), 'accept-ranges': 'bytes' }).end(method === 'HEAD' ? undefined : bytes);
      else response.writeHead(206, { 'content-range': `bytes ${from}-${to}/10`, 'content-length': String(Number(to) - Number(from) + 1) }).end(bytes.slice(Number(from), Number(to) + 1));
    },
  });
  const url = await frontEndBefore(t, { be1: backend });
  const answer = await (await talk(url, `HEAD /api/file HTTP/1.1\r\n${who}\r\nGET /api/file HTTP/1.1\r\n${who}range: bytes=2-4\r\nconnection: close\r\n\r\n`)).ended;
  const [first = '', second = ''] = answer.split(/(?<=\r\n\r\n)(?=HTTP)/);
  assert.match(first, /^HTTP\/1\.1 200 .*content-length: 10.*\r\n\r\n$/s);
  assert.match(second, /^HTTP\/1\.1 206 .*content-range: bytes 2-4\/10.*\r\n\r\ncde$/s);
});

test('a client that waits for 100 Continue gets it only when its body is wanted', async (t) => {
  const backend = await otherBackend(t, {
    answer: (request, response) => {
      let length = 0;
      request.on('data', (piece: Buffer) => { length += piece.length; }).on('end', () => response.end(String(length)));
    },
  });
  const url = await frontEndBefore(t, { be1: backend });
  const body = 'x'.repeat(300_000);
  const wanted = await talk(url, `POST /api/send HTTP/1.1\r\n${who}expect: 100-continue\r\ncontent-length: ${String(body.length)}\r\nconnection: close\r\n\r\n`);
  assert.equal(await wanted.until(/100 Continue\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n');
  wanted.say(body);
  assert.match(await wanted.ended, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 .*300000/s);
  for (const [fields, status] of [['host: x\r\nwaybill-request: user\r\ncontent-length: 10\r\n', 401], [`${who}content-length: 99000000\r\n`, 413], [`${who}content-length: 10\r\norigin: https://evil.example\r\n`, 403]] as const) {
    const refused = await (await talk(url, `POST /api/send HTTP/1.1\r\n${fields}expect: 100-continue\r\n\r\n`)).ended;
    assert.match(refused, new RegExp(`^HTTP/1.1 ${String(status)} `));
  }
  assert.match(await (await talk(url, `POST /api/send HTTP/1.1\r\n${who}expect: 200-maybe\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx`)).ended, /^HTTP\/1\.1 417 /);
});

test('requests sent all at once are answered in their order', async (t) => {
  const backend = await otherBackend(t, { answer: ({ url }, response) => setTimeout(() => response.end(url), url === '/api/1' ? 200 : 0) });
  const url = await frontEndBefore(t, { be1: backend });
  const requests = [1, 2, 3, 4].map((each) => `GET /api/${String(each)} HTTP/1.1\r\n${who}${each === 4 ? 'connection: close\r\n' : ''}\r\n`).join('');
  const answer = await (await talk(url, requests)).ended;
  assert.deepEqual([...answer.matchAll(/\/api\/\d/g)].map(([path]) => path), ['/api/1', '/api/2', '/api/3', '/api/4']);
});

test('requests without a host, with two, or with one that is none, are refused; headers without end too', async (t) => {
  const backend = await otherBackend(t, { answer: (_, response) => response.end('{}') });
  const url = await frontEndBefore(t, { be1: backend });
  const status = async (fields: string): Promise<string> => (await (await talk(url, `GET /api/x HTTP/1.1\r\nconnection: close\r\ncookie: ${cookieOf(alice)}\r\n${fields}\r\n`)).ended).slice(9, 12);
  assert.deepEqual(await Promise.all(['', 'host: a\r\nhost: b\r\n', 'host: a/b\r\n', 'host: evil@mail.example.com\r\n', `host: x\r\nx-long: ${'y'.repeat(20_000)}\r\n`, 'host: [::1]:443\r\n'].map(status)), ['400', '400', '400', '400', '431', '200']);
  assert.equal(backend.requests.length, 1);
});

test('an upgrade to something else than WebSocket is not taken', async (t) => {
  const backend = await otherBackend(t, { answer: (_, response) => response.end('{}') });
  const url = await frontEndBefore(t, { be1: backend });
  assert.match(head(await (await talk(url, `GET /api/x HTTP/1.1\r\n${who}connection: upgrade, http2-settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n`)).ended), /^HTTP\/1\.1 200 /);
  assert.deepEqual(['upgrade', 'http2-settings'].map((name) => backend.requests[0]?.headers[name]), [undefined, undefined]);
});

test('fields of one leg stay on it, in answers too, with those that Connection names', async (t) => {
  const backend = await otherBackend(t, {
    answer: (_, response) => response.writeHead(200, { connection: 'keep-alive, x-leg', 'x-leg': '1', 'keep-alive': 'timeout=5', 'proxy-authenticate': 'Basic', 'set-cookie': 'a=b', 'x-waybill-node': 'be1', 'x-end': '2', 'content-length': '2' }).end('{}'),
  });
  const url = await frontEndBefore(t, { be1: backend });
  const answer = head(await (await talk(url, `GET /api/x HTTP/1.1\r\n${who}connection: close, x-mine\r\nx-mine: 1\r\nte: trailers\r\nvia: 1.0 x\r\n\r\n`)).ended).toLowerCase();
  assert.match(answer, /x-end: 2/);
  assert.doesNotMatch(answer, /x-leg|timeout=5|proxy-auth|a=b|x-waybill/);
  assert.deepEqual(['x-mine', 'te', 'via'].map((name) => backend.requests[0]?.headers[name]), [undefined, undefined, undefined]);
});

async function told(backend: OtherBackend, url: string, fields: string): Promise<readonly unknown[]> {
  await (await talk(url, `GET /api/x HTTP/1.1\r\nhost: mail.example.com:8443\r\ncookie: ${cookieOf(alice)}\r\nconnection: close\r\n${fields}\r\n`)).ended;
  const headers = backend.requests.at(-1)?.headers ?? {};
  return ['x-waybill-client', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded', 'x-real-ip'].map((name) => headers[name]);
}

const claims = 'x-forwarded-for: 203.0.113.9\r\nx-forwarded-proto: http\r\nx-forwarded-host: other.example\r\nx-forwarded-port: 1\r\nforwarded: for=203.0.113.9\r\nx-real-ip: 203.0.113.9\r\n';

test('where a client is, is what its connection says; what it claims itself is not believed', async (t) => {
  const backend = await otherBackend(t, { answer: (_, response) => response.end('{}') });
  const url = await frontEndBefore(t, { be1: backend });
  assert.deepEqual(await told(backend, url, claims), ['127.0.0.1', '127.0.0.1', 'https', 'mail.example.com:8443', '8443', undefined, undefined]);
});

test('a balancer of the configuration is believed: the last address that is none of theirs is the client', async (t) => {
  const backend = await otherBackend(t, { answer: (_, response) => response.end('{}') });
  const url = await frontEndBefore(t, { be1: backend }, { httpBalancers: [parseNetwork('127.0.0.0/8'), parseNetwork('10.1.0.0/16')], limits: usualLimits });
  assert.deepEqual(await told(backend, url, claims), ['203.0.113.9', '203.0.113.9', 'http', 'other.example', '80', undefined, undefined]);
  const chain = async (text: string): Promise<unknown> => (await told(backend, url, `x-forwarded-for: ${text}\r\n`))[0];
  assert.equal(await chain('192.0.2.66, 203.0.113.9, 10.1.2.3'), '203.0.113.9', 'what stands before is the client\'s own claim');
  assert.equal(await chain('evil, [2001:db8::1]:4711'), '2001:db8::1');
  assert.equal(await chain('203.0.113.9, unknown'), '127.0.0.1');
  assert.equal(await chain('10.1.2.3'), '10.1.2.3');
  assert.deepEqual((await told(backend, url, 'x-forwarded-host: a b\r\nx-forwarded-proto: gopher\r\n')).slice(2, 4), ['https', 'mail.example.com:8443']);
});
