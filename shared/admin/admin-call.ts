/** Calls of a node's admin API that carry a body, answer much, or go on for long; for a short question see admin-client.ts. */
import * as https from 'node:https';
import type { Agent } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { Failure } from '../base/failure.ts';
import type { FailureKind } from '../base/failure.ts';
import { operatorHeader } from './admin-client.ts';
import type { AdminTarget } from './admin-client.ts';

export interface AdminCall {
  readonly path: string;
  /** Sent by POST as JSON; GET when absent. */
  readonly body?: object | undefined;
  /** From one piece of the answer to the next. */
  readonly silenceMs: number;
  /** Keeps connections for many calls; one for each call when absent. */
  readonly agent?: Agent | undefined;
}

const longestAnswerBytes = 256 * 1024 * 1024;

/**
 * The pieces of the answer of a 200. A Failure of the node is thrown as the same Failure; everything else, a cut answer too,
 * is `backend-unavailable`.
 */
export async function* streamFromNode(target: AdminTarget, call: AdminCall): AsyncGenerator<Buffer, void, void> {
  const response = await begin(target, call);
  try {
    for await (const piece of response) yield piece as Buffer;
  } catch (error) {
    throw unavailable(error);
  } finally {
    response.destroy();
  }
}

/** The JSON of a 200; failures as with `streamFromNode`. */
export async function callNode(target: AdminTarget, call: AdminCall): Promise<unknown> {
  const pieces: Buffer[] = [];
  let length = 0;
  const response = await begin(target, call);
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > longestAnswerBytes) throw new Error('answer too long');
      pieces.push(piece);
    }
    return JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    throw unavailable(error);
  }
}

/** Resolves with a response of status 200 whose body is still to be read. */
async function begin(target: AdminTarget, call: AdminCall): Promise<IncomingMessage> {
  const response = await send(target, call);
  if (response.statusCode === 200) return response;
  const pieces: Buffer[] = [];
  try {
    for await (const piece of response as AsyncIterable<Buffer>) if (pieces.length < 100) pieces.push(piece);
  } catch (error) {
    throw unavailable(error);
  }
  throw failureOf(response.statusCode ?? 0, Buffer.concat(pieces).toString('utf8'));
}

async function send(target: AdminTarget, { path, body, silenceMs, agent }: AdminCall): Promise<IncomingMessage> {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const operator = target.operator === undefined ? {} : { [operatorHeader]: target.operator };
    const headers = { ...operator, ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(text.length) }) };
    const request = https.request({
      ...target.tls, host: target.host, port: target.port, path, headers, method: text === undefined ? 'GET' : 'POST', agent: agent ?? false, timeout: silenceMs,
    }, resolve);
    request.on('timeout', () => request.destroy(new Error(`silent for ${String(silenceMs)} ms`)));
    request.on('error', (error) => reject(unavailable(error)));
    request.end(text);
  });
}

function unavailable(cause: unknown): Failure {
  return new Failure('backend-unavailable', 'node does not answer', { cause });
}

/** What the server made of a thrown Failure (status 409). */
function failureOf(status: number, text: string): Failure {
  try {
    const told: unknown = JSON.parse(text);
    if (status === 409 && typeof told === 'object' && told !== null && 'kind' in told && 'error' in told && typeof told.kind === 'string') {
      const node = 'node' in told && typeof told.node === 'string' ? told.node : undefined;
      return new Failure(told.kind as FailureKind, String(told.error), { node });
    }
  } catch (error) {
    return unavailable(error);
  }
  return unavailable(new Error(`status ${String(status)}: ${text.slice(0, 200)}`));
}
