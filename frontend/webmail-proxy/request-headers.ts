/** What of a browser's request headers may go to a back-end, and what the front-end adds. */
import type { IncomingHttpHeaders } from 'node:http';
import { clientHeader, epochHeader, sessionHeader, userHeader, waybillHeaderPrefix } from '../../shared/session-cookie/session-headers.ts';

/** Hop-by-hop (RFC 9110 section 7.6.1); the cookie, which the back-end has no use for; what others may claim about the road here. */
const stopped: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer', 'upgrade', 'expect', 'cookie', 'authorization', 'forwarded', 'via', 'x-real-ip',
]);

/** Where the body ends. A client that named them in Connection would make its body the back-end's next request. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** Takes everything away, in place, that must not pass. */
export function cleanHeaders(headers: IncomingHttpHeaders): void {
  const named = (headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim()).filter((name) => !framing.has(name));
  for (const name of Object.keys(headers)) {
    if (stopped.has(name) || named.includes(name) || name.startsWith(waybillHeaderPrefix) || name.startsWith('x-forwarded-')) delete headers[name];
  }
}

/** For whom the request is. `epoch` is undefined at the sign-in, when only the back-end knows it. */
export function vouchingHeaders(user: {
  readonly address: string;
  readonly epoch: number | undefined;
  readonly client: string;
  readonly session: string;
}): Record<string, string> {
  return {
    [userHeader]: user.address,
    [clientHeader]: user.client,
    [sessionHeader]: user.session,
    ...(user.epoch === undefined ? {} : { [epochHeader]: String(user.epoch) }),
  };
}
