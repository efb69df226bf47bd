/** Asks the admin API of a running cluster as a browser, a script or curl would. */
import { readFileSync } from 'node:fs';
import * as https from 'node:https';
import { join } from 'node:path';
import type { Cluster, NodeName } from './cluster.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The JSON of the answer, as tests know it. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AdminQuestion {
  readonly method?: string;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Shown to the server: files of certificate and key. */
  readonly certificate?: { readonly certificate: string; readonly key: string };
  readonly from?: string;
}

export async function askAdmin(cluster: Pick<Cluster, 'port' | 'authorityFile'>, [node, path]: readonly [NodeName, string], question: AdminQuestion = {}): Promise<AdminAnswer> {
  const { method = 'GET', body, headers = {}, certificate, from = '127.0.0.1' } = question;
  const text = question.raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Promise<AdminAnswer>((resolve, reject) => {
    const request = https.request({
      host: '127.0.0.1', port: cluster.port(node, 'admin'), path, method, agent: false, localAddress: from, ca: readFileSync(cluster.authorityFile),
      headers: { ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }), ...headers },
      ...(certificate === undefined ? {} : { cert: readFileSync(certificate.certificate), key: readFileSync(certificate.key) }),
    }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(pieces).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: (answer === '' ? {} : JSON.parse(answer)) as Readonly<Record<string, unknown>> });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}

export function basic(name: string, password: string): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

/** Signs in for a token; the header that shows it. */
export async function bearer(cluster: Cluster, node: NodeName, credentials: { readonly name: string; readonly password: string; readonly code?: string }): Promise<Readonly<Record<string, string>>> {
  const { status, body } = await askAdmin(cluster, [node, '/api/v1/session'], { method: 'POST', body: { ...credentials, as: 'token' } });
  if (status !== 200) throw new Error(`signing in: ${String(status)} ${JSON.stringify(body)}`);
  return { authorization: `Bearer ${String(body['token'])}` };
}

/** The demo's administrator. */
export const me = { name: 'admin', password: 'waybill-demo' };

/** What a node has in its audit. */
export function auditOf({ folder }: Pick<Cluster, 'folder'>, node: NodeName): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(join(folder, 'audit', `${node}.log`), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}
