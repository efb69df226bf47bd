/** What a protocol trace has of requests and answers over HTTP: never a body, a cookie, or the values of a query. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { TellTrace } from '../log/protocol-trace.ts';
import type { Exchange } from './http-service.ts';

const ofRequests = ['host', 'user-agent', 'content-type', 'content-length', 'transfer-encoding', 'upgrade'] as const;
const ofAnswers = ['content-type', 'content-length', 'transfer-encoding', 'location', 'retry-after'] as const;

/** Tells the request now, and its answer when that is over. */
export function traceExchange({ request, response, path }: Pick<Exchange, 'request' | 'response' | 'path'>, tell: TellTrace): void {
  tell('client', requestLine({ request, path }));
  response.once('close', () => tell('server', `${String(response.statusCode)}${fieldsOf(response.getHeaders(), ofAnswers)}${response.writableFinished ? '' : '; cut'}`));
}

export function requestLine({ request, path }: Pick<Exchange, 'request' | 'path'>): string {
  const names = [...new URLSearchParams((request.url ?? '').split('?')[1] ?? '').keys()];
  return `${request.method ?? ''} ${path}${names.length === 0 ? '' : `?${names.map((name) => `${name}=***`).join('&')}`}${fieldsOf(request.headers, ofRequests)}`;
}

function fieldsOf(headers: IncomingHttpHeaders | OutgoingHttpHeaders, names: readonly string[]): string {
  return names.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [`; ${name}: ${String(value)}`];
  }).join('');
}
