/** Reads request bodies within bounds. */
import type { IncomingMessage } from 'node:http';
import { Failure } from '../base/failure.ts';
import { HttpRefusal } from './refusals.ts';

/** How much of a body that is too big is read past. */
const mostPastBytes = 16 * 1024 * 1024;

/**
 * The whole body. @throws Failure('message-too-big') past `maxBytes`. What is over is read past before, as long as it is not much more: a connection that is
 * closed with something unread is reset, and the client, which writes still, may lose the answer (RFC 9112 section 9.6). One that announces
 * far too much, or asks before it sends (Expect, RFC 9110 section 10.1.1), hears it at once.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes + mostPastBytes || (announced > maxBytes && request.headers.expect !== undefined)) throw tooBig(maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes + mostPastBytes) throw tooBig(maxBytes);
    if (length > maxBytes) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (length > maxBytes) throw tooBig(maxBytes);
  return Buffer.concat(chunks);
}

/** The body as JSON. @throws HttpRefusal for another type, Failure('bad-input') when it is not JSON. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) throw new HttpRefusal('not-acceptable-type', 'The request body has to be JSON.');
  const body = await readBody(request, maxBytes);
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw new Failure('bad-input', 'The request body is not JSON.', { cause: error });
  }
}

function tooBig(maxBytes: number): Failure {
  return new Failure('message-too-big', `This is more than the ${String(Math.floor(maxBytes / 1024))} kB that can be sent at once.`);
}
