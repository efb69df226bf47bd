/** What of a back-end's answer goes on to the browser. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { waybillHeaderPrefix } from '../../shared/session-cookie/session-headers.ts';

/** Header fields that belong to the leg between the two nodes (RFC 9110 section 7.6.1), or that this node sets itself. */
const stopped: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'proxy-authenticate', 'set-cookie', 'strict-transport-security',
]);

/** Without the fields that Connection names. */
export function passedBack(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim());
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]): [string, string | string[]][] =>
    (value === undefined || stopped.has(name) || named.includes(name) || name.startsWith(waybillHeaderPrefix) ? [] : [[name, value]])));
}
