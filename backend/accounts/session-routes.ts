/** The admin route that ends all WebMail sessions of an account, as after an administrator gave it a new password. */
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Accounts } from './accounts.ts';

export function sessionRoutes(accounts: Pick<Accounts, 'open'>, log: Logger): readonly AdminRoute[] {
  return [{
    method: 'POST', prefix: '/webmail-sessions/end/', allow: 'backends',
    answer: async (address) => {
      await (await accounts.open(address)).endSessions();
      log.info({ account: address }, 'WebMail sessions ended by an administrator');
      return { status: 200, body: {} };
    },
  }];
}
