/** Asks the admin API of another node, with this node's certificate. */
import * as https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../base/failure.ts';

export interface AdminTarget {
  readonly host: string;
  readonly port: number;
  /** Own certificate and key, the cluster CA, the peer's name. */
  readonly tls: ConnectionOptions;
  /** The user of the system who runs the command that asks; a node asks for itself when absent. */
  readonly operator?: string;
}

/** From a command on a node's machine: which user of the system runs it. */
export const operatorHeader = 'x-waybill-operator';

const longestAnswerBytes = 1024 * 1024;

/** GET of a path; resolves with the JSON body of a 200. Everything else is `backend-unavailable`, within `timeoutMs`. */
export async function askNode(target: AdminTarget, path: string, timeoutMs: number): Promise<unknown> {
  return new Promise<unknown>((resolve, reject) => {
    const fail = (cause: unknown): void => reject(new Failure('backend-unavailable', 'node does not answer', { cause }));
    const request = https.get(
      { ...target.tls, host: target.host, port: target.port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > longestAnswerBytes) response.destroy(new Error('answer too long'));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () => {
          if (response.statusCode !== 200) {
            fail(new Error(`status ${String(response.statusCode)}`));
            return;
          }
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch (error) {
            fail(error);
          }
        });
      },
    );
    request.on('error', fail);
  });
}
