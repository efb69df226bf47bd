/** Requests to an ACME server: HTTPS, nonces, problem documents (RFC 8555 sections 6.1 to 6.7). */
import type { KeyObject } from 'node:crypto';
import * as https from 'node:https';
import { Failure } from '../base/failure.ts';
import { signedMessage } from './jws.ts';

export interface AcmeAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly text: string;
}

const timeoutMs = 30_000;
const longestAnswer = 1024 * 1024;
/** A nonce may be refused at any time, through nobody's fault (RFC 8555 section 6.5). */
const nonceTries = 10;

export class AcmeTransport {
  readonly #key: KeyObject;
  readonly #ca: string | undefined;
  #nonce: string | undefined;
  #newNonce = '';
  #account: string | undefined;

  /** @param ca PEM: whom the server's certificate is checked by, instead of the usual authorities */
  constructor(key: KeyObject, ca: string | undefined) {
    this.#key = key;
    this.#ca = ca;
  }

  /** The text of a document that anybody may read. @throws Failure('backend-unavailable') */
  async get(url: string): Promise<string> {
    const { status, text } = await this.#send(url, 'GET', undefined);
    if (status !== 200) throw new Failure('backend-unavailable', `${url} answers with status ${String(status)}`);
    return text;
  }

  useNonces(url: string): void {
    this.#newNonce = url;
  }

  useAccount(url: string): void {
    this.#account = url;
  }

  /** @throws Failure('forbidden') in the server's words; Failure('limit') when it wants to be asked less; Failure('backend-unavailable') */
  async post(url: string, payload?: object): Promise<AcmeAnswer> {
    for (let left = nonceTries; ; left -= 1) {
      const nonce = await this.#takeNonce();
      const answer = await this.#send(url, 'POST', signedMessage({ key: this.#key, account: this.#account, url, nonce, payload }));
      if (answer.status < 400) return answer;
      const { type, detail } = problemOf(answer.text);
      if (type === 'urn:ietf:params:acme:error:badNonce' && left > 1) continue;
      const kind = answer.status >= 500 || type === 'urn:ietf:params:acme:error:badNonce' ? 'backend-unavailable' : answer.status === 429 ? 'limit' : 'forbidden';
      throw new Failure(kind, `the ACME server refuses: ${detail} (${type})`);
    }
  }

  async #takeNonce(): Promise<string> {
    if (this.#nonce === undefined) await this.#send(this.#newNonce, 'HEAD', undefined);
    const nonce = this.#nonce;
    this.#nonce = undefined;
    if (nonce === undefined) throw new Failure('backend-unavailable', 'the ACME server gave no nonce');
    return nonce;
  }

  async #send(url: string, method: string, body: string | undefined): Promise<AcmeAnswer> {
    return new Promise<AcmeAnswer>((resolve, reject) => {
      const fail = (cause: Error): void => reject(new Failure('backend-unavailable', `the ACME server does not answer (${url}): ${cause.message}`, { cause }));
      const target = URL.parse(url);
      if (target?.protocol !== 'https:') return fail(new Error('its address is not https://'));
      const headers = { 'user-agent': 'waybill', ...(body === undefined ? {} : { 'content-type': 'application/jose+json', 'content-length': String(Buffer.byteLength(body)) }) };
      const request = https.request(target, { method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs), ...(this.#ca === undefined ? {} : { ca: this.#ca }) }, (response) => {
        const { 'replay-nonce': nonce, location, 'retry-after': wait } = response.headers;
        if (typeof nonce === 'string') this.#nonce = nonce;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
          if (text.length > longestAnswer) response.destroy(new Error('the answer is too long'));
        });
        response.on('error', fail);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, location, text, retryAfterMs: /^\d{1,4}$/.test(wait ?? '') ? Number(wait) * 1000 : undefined }));
      });
      request.on('error', fail);
      request.end(body);
    });
  }
}

function problemOf(text: string): { readonly type: string; readonly detail: string } {
  try {
    const { type, detail } = JSON.parse(text) as { readonly type?: unknown; readonly detail?: unknown };
    return { type: String(type), detail: String(detail) };
  } catch {
    return { type: 'no problem document', detail: text.slice(0, 200) };
  }
}
