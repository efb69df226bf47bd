/** How the admin API says no: `application/problem+json` (RFC 9457) with what is wrong, where, and what to do about it. */
import type { ServerResponse } from 'node:http';
import { isFailure } from '../base/failure.ts';
import { HttpRefusal, statusOfFailure, statusOfRefusal } from '../http/refusals.ts';

/** One mistake of a request. */
export interface Mistake {
  /** `body.name`, `query.limit`, `path.node`. */
  readonly where: string;
  readonly what: string;
}

/** A request that can't be served as it stands. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly kind: string;
  /** What to do about it. */
  readonly advice: string | undefined;
  readonly mistakes: readonly Mistake[];

  constructor(status: number, kind: string, told: { readonly text: string; readonly advice?: string; readonly mistakes?: readonly Mistake[] }) {
    super(told.text);
    this.name = 'ApiRefusal';
    this.status = status;
    this.kind = kind;
    this.advice = told.advice;
    this.mistakes = told.mistakes ?? [];
  }
}

export interface Problem {
  readonly type: 'about:blank';
  readonly status: number;
  readonly title: string;
  readonly kind: string;
  readonly detail: string;
  readonly advice?: string;
  readonly mistakes?: readonly Mistake[];
  /** The node that is meant, or could. */
  readonly node?: string;
  /** Names the request in the log of the node. */
  readonly reference: string;
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request', 401: 'Not signed in', 403: 'Forbidden', 404: 'Not found', 405: 'Method not allowed', 409: 'Conflict', 413: 'Too big', 415: 'Unsupported type',
  421: 'Other node', 422: 'Can\'t be done', 429: 'Too many requests', 500: 'Internal error', 502: 'Bad answer', 503: 'Not available', 507: 'No space',
};

const advices: Readonly<Record<string, string>> = {
  'bad-credentials': 'Check name, password and code.',
  'backend-unavailable': 'Ask again when the node runs; GET /api/v1/nodes tells which do.',
  'directory-unavailable': 'Ask again when the directory answers.',
  'signed-out': 'Sign in: POST /api/v1/session; or send Authorization: Basic or Bearer.',
  forbidden: 'Ask an administrator who has the permission, or for it.',
  limit: 'Ask more slowly.',
  'timed-out': 'Ask again in a moment.',
};

/** What is answered to a thrown value. */
export function problemOf(error: unknown, reference: string): Problem {
  if (error instanceof ApiRefusal) {
    return problem({ status: error.status, kind: error.kind, detail: error.message, reference, advice: error.advice, mistakes: error.mistakes });
  }
  if (error instanceof HttpRefusal) return problem({ status: statusOfRefusal(error.kind), kind: error.kind, detail: error.message, reference });
  if (isFailure(error)) return problem({ status: statusOfFailure(error.kind), kind: error.kind, detail: error.message, reference, node: error.node });
  return problem({ status: 500, kind: 'internal', detail: `internal error; the log of this node has it under ${reference}`, reference });
}

interface Parts {
  readonly status: number;
  readonly kind: string;
  readonly detail: string;
  readonly reference: string;
  readonly advice?: string | undefined;
  readonly mistakes?: readonly Mistake[];
  readonly node?: string | undefined;
}

function problem({ status, kind, detail, reference, advice = advices[kind], mistakes = [], node }: Parts): Problem {
  return {
    type: 'about:blank', status, title: titles[status] ?? 'Error', kind, detail, reference,
    ...(advice === undefined ? {} : { advice }),
    ...(mistakes.length === 0 ? {} : { mistakes }),
    ...(node === undefined ? {} : { node }),
  };
}

export function sendProblem(response: ServerResponse, told: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (told.status === 429 || told.status === 503) response.setHeader('retry-after', '5');
  if (told.status === 401) response.setHeader('www-authenticate', 'Bearer realm="waybill", Basic realm="waybill", charset="UTF-8"');
  if (!response.req.complete) response.setHeader('connection', 'close');
  const bytes = Buffer.from(`${JSON.stringify(told)}\n`);
  response.writeHead(told.status, { 'content-type': 'application/problem+json', 'content-length': bytes.length, 'cache-control': 'no-store' });
  response.end(bytes);
}
