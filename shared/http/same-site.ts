/** Keeps requests that another site makes a browser send away from the API. */
import type { IncomingMessage } from 'node:http';
import { activityHeader } from '../session-cookie/session-headers.ts';
import type { Activity } from '../session-cookie/session-headers.ts';
import { HttpRefusal } from './refusals.ts';

/**
 * Refuses a state-changing request that doesn't carry our page's header, and any that a browser says comes from another
 * site (Sec-Fetch-Site) or origin. Same-site cookies alone would let sites of the same domain in.
 */
export function refuseCrossSite(request: IncomingMessage): void {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  const foreignOrigin = origin !== undefined && URL.parse(origin)?.host !== host;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (foreignOrigin || foreignSite || (changes && !request.headers[activityHeader])) {
    throw new HttpRefusal('cross-site', 'This request does not come from a page of this server.');
  }
}

/** Whether the user did something. A stream of news and reloads after news are no sign of life. */
export function activityOf(request: IncomingMessage): Activity {
  return request.headers[activityHeader] === 'user' ? 'user' : 'background';
}
