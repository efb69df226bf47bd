/** Passes a request of the admin API on to the node that can do it, with this node's certificate and the name of who asks. */
import * as https from 'node:https';
import { operatorHeader } from '../admin/admin-client.ts';
import type { AdminTarget } from '../admin/admin-client.ts';
import { Failure } from '../base/failure.ts';
import type { Caller } from './caller.ts';
import type { Method } from './operation.ts';
import { administratorHeader, passOn } from './who-asks.ts';

export interface PassedOn {
  readonly method: Method;
  /** With /api/v1 and the query. */
  readonly path: string;
  readonly body: unknown;
  readonly caller: Caller;
}

/** What the other node answered, whatever it is. */
export interface OtherAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

const silenceMs = 30_000;
const longestAnswerBytes = 64 * 1024 * 1024;

/** @throws Failure('backend-unavailable') when the node can't be reached, or its answer is cut */
export async function passToNode(target: AdminTarget, { method, path, body, caller }: PassedOn): Promise<OtherAnswer> {
  const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = { ...identityOf(caller), ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(text.length) }) };
  return new Promise<OtherAnswer>((resolve, reject) => {
    const fail = (cause: unknown): void => reject(new Failure('backend-unavailable', 'the node does not answer', { cause }));
    const request = https.request({ ...target.tls, host: target.host, port: target.port, method, path, headers, agent: false, timeout: silenceMs }, (response) => {
      const pieces: Buffer[] = [];
      let length = 0;
      response.on('data', (piece: Buffer) => {
        length += piece.length;
        if (length > longestAnswerBytes) response.destroy(new Error('answer too long'));
        else pieces.push(piece);
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? 'application/json', body: Buffer.concat(pieces) }));
    });
    request.on('timeout', () => request.destroy(new Error(`silent for ${String(silenceMs)} ms`)));
    request.on('error', fail);
    request.end(text);
  });
}

function identityOf(caller: Caller): Readonly<Record<string, string>> {
  const { who } = caller;
  if (who.kind === 'administrator') return { [administratorHeader]: passOn(caller, who.administrator.name) };
  return who.operator === undefined ? {} : { [operatorHeader]: who.operator };
}
