/**
 * How commands speak to the admin API: on a node with a node's certificate, from anywhere else as an administrator with name and
 * password, and the code of the authenticator where there is one.
 */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import * as https from 'node:https';
import type { RequestOptions } from 'node:https';
import { z } from 'zod';
import { operatorHeader } from '../../shared/admin/admin-client.ts';
import { loadConfig } from '../command-line/load-config.ts';
import { readableTls } from './ask-nodes.ts';
import { readHidden } from './new-password.ts';
import { UsageError } from './usage-error.ts';

export interface ApiOptions {
  readonly config: string;
  /** The node whose admin API is asked, and by whose certificate; the first that is readable here when absent. */
  readonly as?: string;
  /** `https://HOST:PORT` of any node: then by password. */
  readonly server?: string;
  readonly admin?: string;
  /** PEM file of the authority that signed the server's certificate. */
  readonly ca?: string;
  /** Its first line is the password. */
  readonly passwordFile?: string;
  readonly code?: string;
}

/** How commands are told of an administrator who asks from elsewhere. */
export type ServerOptions = Pick<ApiOptions, 'server' | 'admin' | 'ca' | 'passwordFile' | 'code'>;

export interface ApiQuestion {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: object;
}

export interface ApiClient {
  /** @param path below /api/v1. @throws UsageError with the words of a refusal */
  ask(path: string, question?: ApiQuestion): Promise<unknown>;
  /** The whole address, in lower case; the primary domain is added when there is none. */
  complete(address: string): Promise<string>;
}

/**
 * Longer than a node waits for another one, which it then names: 30 s of silence, and as long again where not even the TLS handshake is answered
 * (Node takes what was written meanwhile for a sign of life, `net.Socket`'s `_onTimeout`).
 */
const silenceMs = 75_000;
const passwordVariable = 'WAYBILL_ADMIN_PASSWORD';

/** Finds out how to ask. @throws UsageError, Failure('backend-unavailable') without any certificate */
export async function openApi(options: ApiOptions): Promise<ApiClient> {
  const roads = options.server === undefined ? await asNode(options) : [await asAdministrator(options, options.server)];
  const ask: ApiClient['ask'] = async (path, { method = 'GET', body } = {}) => {
    for (;;) {
      const [road = {}, ...others] = roads;
      try {
        return await call({ ...road, path: `/api/v1${path}`, method }, body);
      } catch (error) {
        if (!(error instanceof NotThere) || others.length === 0) throw error;
        roads.shift(); // nothing was asked of it: another node can do the same
      }
    }
  };
  const complete = async (address: string): Promise<string> => (address.includes('@') ? address : `${address}@${whereSchema.parse(await ask('/session')).primaryDomain}`).toLowerCase();
  return { ask, complete };
}

const whereSchema = z.object({ primaryDomain: z.string() });

/** Nobody listens there, so that nothing can have been done. */
class NotThere extends UsageError {}

/** The API has answered, and said no. */
export class Refused extends UsageError {
  readonly status: number;
  /** See docs/admin-api.md. */
  readonly kind: string;

  constructor(text: string, { status, kind }: { readonly status: number; readonly kind: string }) {
    super(text);
    this.status = status;
    this.kind = kind;
  }
}

/** One road for each node that can be asked with the certificates of this machine: the one that is named, or all in their order. */
async function asNode({ config: file, as }: ApiOptions): Promise<RequestOptions[]> {
  const { nodes } = await loadConfig(file);
  const all = Object.values(nodes);
  const withApi = all.filter(({ nodeName, nodes: known }) => known[nodeName]?.endpoints.admin !== undefined && (as === undefined || nodeName === as));
  if (withApi.length === 0) throw new UsageError(`${as ?? 'no node of this cluster'} has an admin API; there are the nodes ${all.map(({ nodeName }) => nodeName).join(', ')}`);
  return Promise.all(withApi.map(async (node) => {
    const { toNode } = await readableTls(node, all);
    return { ...toNode(node.nodeName), host: node.host, port: node.nodes[node.nodeName]?.endpoints.admin ?? 0, headers: { [operatorHeader]: userInfo().username } };
  }));
}

async function asAdministrator({ admin, ca, passwordFile, code }: ApiOptions, server: string): Promise<RequestOptions> {
  const url = URL.parse(server);
  if (url?.protocol !== 'https:') throw new UsageError('--server is https://HOST:PORT of a node\'s admin API');
  if (admin === undefined) throw new UsageError('--server needs --admin NAME');
  const password = await passwordOf(admin, passwordFile);
  const place = { host: url.hostname, port: url.port === '' ? 443 : Number(url.port), ...(ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }) };
  const answer = await call({ ...place, path: '/api/v1/session', method: 'POST' }, { name: admin, password, as: 'token', ...(code === undefined ? {} : { code }) });
  return { ...place, headers: { authorization: `Bearer ${String((answer as { readonly token?: unknown }).token)}` } };
}

async function passwordOf(admin: string, file: string | undefined): Promise<string> {
  const given = file === undefined ? process.env[passwordVariable] : (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0];
  if (given !== undefined && given !== '') return given;
  if (file !== undefined) throw new UsageError(`${file} is empty: its first line is to be the password`);
  return readHidden(`Password of ${admin}: `, `give it in a file by --password-file, or in ${passwordVariable}`);
}

async function call(request: RequestOptions, body: object | undefined): Promise<unknown> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = { ...request.headers as Readonly<Record<string, string>>, ...(text === undefined ? {} : { 'content-type': 'application/json' }) };
  const { status, answer } = await new Promise<{ status: number; answer: string }>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(new (error.code === 'ECONNREFUSED' ? NotThere : UsageError)(`${String(request.host)}:${String(request.port)} does not answer: ${error.message}`));
    const sent = https.request({ ...request, headers, agent: false, timeout: silenceMs }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, answer: Buffer.concat(pieces).toString('utf8') }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`silent for ${String(silenceMs / 1000)} s`)));
    sent.on('error', fail);
    sent.end(text);
  });
  const told = parsed(answer);
  if (status === 200) return told;
  const { kind = '', detail = `status ${String(status)}`, advice } = told as { readonly kind?: string; readonly detail?: string; readonly advice?: string };
  const words = /[.!?]$/.test(detail) ? detail : `${detail}.`;
  throw new Refused(advice === undefined ? detail : `${words} ${advice}`, { status, kind });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('what answers there is no admin API');
  }
}
