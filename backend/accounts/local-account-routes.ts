/** The admin routes by which local accounts are made and get new passwords; other back-ends and administrators' commands ask. */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { LocalAccounts } from './local-accounts.ts';

const passwordBody = z.strictObject({ password: z.string() });

export function localAccountRoutes(local: LocalAccounts, log: Logger): readonly AdminRoute[] {
  const post = ([prefix, what]: readonly [prefix: string, what: string], act: (address: string, password: string) => Promise<void>): AdminRoute => ({
    method: 'POST', prefix, allow: 'backends', kind: { what, argument: 'address' },
    answer: async (address, { body }) => {
      const given = passwordBody.safeParse(body);
      if (!given.success) throw new Failure('bad-input', 'a password is needed');
      await act(address, given.data.password);
      return { status: 200, body: {} };
    },
  });
  return [
    post(['/local-accounts/add/', 'addAccount'], async (address, password) => {
      const account = await local.add(address, password);
      log.info({ account: account.address }, 'local account made by an administrator');
    }),
    post(['/local-accounts/password/', 'setPassword'], async (address, password) => {
      await local.setPassword(address, password);
      log.info({ account: address }, 'password of a local account set by an administrator');
    }),
  ];
}
