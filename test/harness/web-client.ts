/** An HTTPS client for tests that keeps its cookie, as a browser does, and may show a node certificate. */
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { TestCertificate } from './certificates.ts';

export interface WebAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON, whatever it holds. */
  readonly json: Record<string, unknown>;
  /** `error.kind` of a refusal. */
  readonly kind: string | undefined;
}

export interface WebRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export class WebClient {
  readonly #certificate: TestCertificate | undefined;
  cookie: string | undefined;

  constructor(options: { readonly certificate?: TestCertificate; readonly cookie?: string | undefined } = {}) {
    this.#certificate = options.certificate;
    this.cookie = options.cookie;
  }

  /** Sends one request over a connection of its own. The page's header is there unless `headers` says otherwise. */
  async ask(url: string, { method = 'GET', headers = {}, body }: WebRequest = {}): Promise<WebAnswer> {
    const own = this.#certificate === undefined ? {} : { cert: this.#certificate.certificate, key: this.#certificate.key };
    const cookie = this.cookie === undefined ? {} : { cookie: this.cookie };
    const sent = httpsRequest(url, { method, rejectUnauthorized: false, agent: false, ...own, headers: { 'waybill-request': 'user', ...cookie, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }), ...headers } });
    return new Promise((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          this.#keepCookie(answer.headers['set-cookie']);
          resolve(describe(answer.statusCode ?? 0, answer.headers, Buffer.concat(pieces)));
        });
      });
      sent.end(body);
    });
  }

  async post(url: string, body: object): Promise<WebAnswer> {
    return this.ask(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }

  #keepCookie(given: readonly string[] | undefined): void {
    const [first] = given ?? [];
    if (first !== undefined) this.cookie = first.split(';')[0];
  }
}

function describe(status: number, headers: IncomingHttpHeaders, bytes: Buffer): WebAnswer {
  const isJson = headers['content-type']?.startsWith('application/json') === true;
  const json = isJson ? (JSON.parse(bytes.toString()) as Record<string, unknown>) : {};
  const { error } = json as { error?: { kind?: string } };
  return { status, headers, bytes, json, kind: error?.kind };
}
