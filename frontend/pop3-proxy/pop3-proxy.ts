/** The POP3 proxy of a front-end: speaks POP3 until the client is logged in, then joins it with its back-end. */
import { pop3Tap } from '../../shared/log/wire-lines.ts';
import type { Service } from '../../shared/service/service.ts';
import { startProxy } from '../login/proxy-service.ts';
import type { ProxyOptions } from '../login/proxy-service.ts';
import { converse } from './session.ts';

export { askForCapabilities } from './backend-login.ts';
export { announcedCapabilities, pop3Merges } from './capabilities.ts';

/** Opens the listeners (110 with STLS, 995 with TLS). */
export async function startPop3Proxy(options: ProxyOptions): Promise<Service> {
  return startProxy(
    {
      name: 'pop3Proxy',
      speaks: 'pop3',
      converse,
      farewell: '-ERR [SYS/TEMP] server is going down, connect again\r\n',
      tooSlow: '-ERR you took too long to log in\r\n',
      tap: pop3Tap,
    },
    options,
  );
}
