/** The IMAP proxy of a front-end: speaks IMAP until the client is logged in, then joins it with its back-end. */
import { imapTap } from '../../shared/log/wire-lines.ts';
import type { Service } from '../../shared/service/service.ts';
import { startProxy } from '../login/proxy-service.ts';
import type { ProxyOptions } from '../login/proxy-service.ts';
import { converse } from './session.ts';

export { askForCapabilities } from './backend-login.ts';
export { announcedCapabilities } from './capabilities.ts';

/** Opens the listeners (143 with STARTTLS, 993 with TLS). */
export async function startImapProxy(options: ProxyOptions): Promise<Service> {
  return startProxy(
    {
      name: 'imapProxy',
      speaks: 'imap',
      converse,
      farewell: '* BYE [UNAVAILABLE] server is going down, connect again\r\n',
      tooSlow: '* BYE you took too long to log in\r\n',
      tap: (tell) => imapTap(tell, 'before login'),
    },
    options,
  );
}
