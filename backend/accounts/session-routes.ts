/** The admin route that ends all WebMail sessions of an account: after an administrator gave it a new password, or kicked its user. */
import { isFailure } from '../../shared/base/failure.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Account } from '../storage/storage.ts';
import type { Accounts } from './accounts.ts';

/** Every back-end may be asked: where the account isn't, there is nothing to end, and none is made for it. */
export function sessionRoutes({ local }: Pick<Accounts, 'local'>, log: Logger): readonly AdminRoute[] {
  return [{
    method: 'POST', prefix: '/webmail-sessions/end/', allow: 'nodes', kind: { what: 'signOutAccount', argument: 'address' },
    answer: async (address) => {
      const account = await keptHere(local, address);
      if (account !== undefined) {
        await account.endSessions();
        log.info({ account: account.address }, 'WebMail sessions ended by an administrator');
      }
      return { status: 200, body: { ended: account === undefined ? 'no' : 'yes' } };
    },
  }];
}

async function keptHere(local: Accounts['local'], address: string): Promise<Account | undefined> {
  try {
    return await local.find(address);
  } catch (error) {
    if (isFailure(error, 'not-kept-here')) return undefined;
    throw error;
  }
}
