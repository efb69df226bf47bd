/** Bodies of requests that are too big: whoever sends one hears so, whether it reads while it writes or not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { readBody } from '../../../shared/http/body.ts';
import { isFailure } from '../../../shared/base/failure.ts';

const maxBytes = 100_000;

/** The port of a server that says how long bodies are. */
async function serve(t: TestContext): Promise<number> {
  const answer: RequestListener = (request, response) => {
    readBody(request, maxBytes).then(
      ({ length }) => response.end(String(length)),
      (error: unknown) => response.writeHead(isFailure(error, 'message-too-big') ? 413 : 500).end(),
    );
  };
  const server = createServer(answer).on('checkContinue', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

/** Sends it all, and reads only then. Answers the status. @throws what the connection says of a reset */
async function post(port: number, { fields, pieces }: { readonly fields: string; readonly pieces: readonly Buffer[] }): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
  for (const piece of pieces) await new Promise<void>((resolve, reject) => socket.write(piece, (error) => (error ? reject(error) : resolve())));
  socket.end();
  return Number((await text(socket)).slice(9, 12));
}

const bytes = Buffer.alloc(50_000, 'x');
const chunk = Buffer.concat([Buffer.from('c350\r\n'), bytes, Buffer.from('\r\n')]);

for (const end of ['Connection: close\r\n', '']) {
  for (const [how, count, status] of [['announced', 2, 200], ['announced', 100, 413], ['in chunks', 2, 200], ['in chunks', 100, 413]] as const) {
    test(`a body of ${String(count * bytes.length)} bytes ${how} is answered with ${String(status)}, ${end === '' ? 'and the connection goes on' : 'and the connection ends'}`, async (t) => {
      const length = how === 'announced' ? `Content-Length: ${String(count * bytes.length)}\r\n` : 'Transfer-Encoding: chunked\r\n';
      const pieces = Array.from({ length: count }, () => (how === 'announced' ? bytes : chunk));
      assert.equal(await post(await serve(t), { fields: end + length, pieces: how === 'announced' ? pieces : [...pieces, Buffer.from('0\r\n\r\n')] }), status);
    });
  }
}

test('who announces far too much, or asks before it sends, hears at once that it is too big', async (t) => {
  const port = await serve(t);
  for (const fields of ['Content-Length: 100000000\r\n', 'Content-Length: 200000\r\nExpect: 100-continue\r\n']) assert.equal(await post(port, { fields, pieces: [] }), 413);
});
