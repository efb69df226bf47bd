/**
 * The one place where a failure becomes an HTTP status: JSON bodies `{error: {kind, text}}` for the WebMail API, the same
 * from front-ends and back-ends. Unknown errors are ours: the client gets a reference, the log gets all of it.
 */
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isFailure } from '../base/failure.ts';
import type { FailureKind } from '../base/failure.ts';
import { nodeHeader } from '../session-cookie/session-headers.ts';

/** Refusals that only HTTP has. */
export type HttpRefusalKind = 'signed-out' | 'no-such-thing' | 'message-missing' | 'method-not-allowed' | 'cross-site' | 'not-acceptable-type';

const refusalStatus: Record<HttpRefusalKind, number> = {
  'signed-out': 401, 'no-such-thing': 404, 'message-missing': 404, 'method-not-allowed': 405, 'cross-site': 403, 'not-acceptable-type': 415,
};

const failureStatus: Record<FailureKind, number> = {
  'bad-credentials': 401,
  'password-expired': 403,
  'account-disabled': 403,
  'account-locked': 403,
  'service-denied': 403,
  'mailbox-disabled': 422,
  'password-refused': 422,
  'privacy-required': 403,
  'unknown-user': 422,
  'foreign-domain': 422,
  'directory-unavailable': 503,
  'backend-unavailable': 503,
  'not-kept-here': 421,
  'bad-input': 400,
  'message-too-big': 413,
  'over-quota': 507,
  'storage-full': 507,
  'storage-failure': 503,
  'mailbox-missing': 404,
  'mailbox-exists': 409,
  'use-refused': 422,
  forbidden: 403,
  limit: 429,
  'in-use': 409,
  'too-soon': 429,
  'timed-out': 503,
  'shutting-down': 503,
};

export function statusOfFailure(kind: FailureKind): number {
  return failureStatus[kind];
}

export function statusOfRefusal(kind: HttpRefusalKind): number {
  return refusalStatus[kind];
}

/** Thrown for what no mail protocol but HTTP knows. */
export class HttpRefusal extends Error {
  readonly kind: HttpRefusalKind;

  constructor(kind: HttpRefusalKind, text: string) {
    super(text);
    this.name = 'HttpRefusal';
    this.kind = kind;
  }
}

/** What is answered for an error. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: { readonly kind: string; readonly text: string } };
}

const retryAfterSeconds = '5';

/** Maps a thrown value to an answer; `reference` is the request's id in the log. */
export function errorAnswer(error: unknown, reference: string): ErrorAnswer {
  if (error instanceof HttpRefusal) return { status: refusalStatus[error.kind], headers: {}, body: { error: { kind: error.kind, text: error.message } } };
  if (!isFailure(error)) return { status: 500, headers: {}, body: { error: { kind: 'internal', text: `Internal error, reference ${reference}` } } };
  const status = failureStatus[error.kind];
  const headers = {
    ...(status === 503 || status === 429 ? { 'retry-after': retryAfterSeconds } : {}),
    ...(error.kind === 'not-kept-here' && error.node !== undefined ? { [nodeHeader]: error.node } : {}),
  };
  return { status, headers, body: { error: { kind: error.kind, text: error.message } } };
}

/** True for errors that nobody expected, which belong in the log whole. */
export function isUnexpected(error: unknown): boolean {
  return !isFailure(error) && !(error instanceof HttpRefusal);
}

/** Sends JSON that no cache keeps. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length, 'cache-control': 'no-store' });
  response.end(bytes);
}

/**
 * Sends the answer for an error. When an answer has begun, its connection is cut, so that nobody takes half of it for the
 * whole; when the request was not read to its end, the connection ends after the answer.
 */
export function sendError(response: ServerResponse, answer: ErrorAnswer): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (!response.req.complete) response.setHeader('connection', 'close');
  sendJson(response, answer.status, answer.body);
}

/** The same on a connection that asked for WebSocket; it ends there. */
export function refuseUpgrade(socket: Duplex, answer: ErrorAnswer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = Buffer.from(JSON.stringify(answer.body));
  const fields = { ...answer.headers, 'content-type': 'application/json; charset=utf-8', 'content-length': String(body.length), 'cache-control': 'no-store', connection: 'close' };
  const head = [`HTTP/1.1 ${String(answer.status)} ${STATUS_CODES[answer.status] ?? ''}`, ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`)];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
  setTimeout(() => socket.destroy(), 2000).unref();
}
