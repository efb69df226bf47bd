/** What a back-end does of the admin API for the accounts that it keeps: lists, local accounts, passwords, sign-out. */
import { accountOperations } from '../../cluster-config/admin/contract/accounts.ts';
import type { accountSchema } from '../../cluster-config/admin/contract/listed-account.ts';
import { auditOperations } from '../../cluster-config/admin/contract/audit.ts';
import { pageOf } from '../../cluster-config/admin/paging.ts';
import { demandAddress, mayTouch } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { AccountMoves } from '../account-move/account-move.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { AccountSummary, Storage } from '../storage/storage.ts';
import type { z } from 'zod';

export interface AccountGround {
  readonly nodeName: string;
  readonly storage: Storage;
  readonly accounts: Accounts;
  readonly moves: Pick<AccountMoves, 'record'>;
  readonly keepDays: { readonly keepDeletedDays: number; readonly keepVanishedDays: number };
}

export function accountHandlers({ nodeName, storage, accounts, moves, keepDays }: AccountGround): readonly Handled[] {
  return [
    handled(accountOperations.showNodeAccount, async ({ params: { address } }) => {
      if (storage.isTakenOut(address)) return Promise.resolve({ at: 'away' as const });
      const summary = storage.lives.summary(address);
      return Promise.resolve({ ...moves.record(address), ...(summary === undefined ? {} : { account: listed(summary, keepDays) }) });
    }),
    handled(accountOperations.listNodeAccounts, async ({ query, caller }) => {
      const { domain, state, ...wanted } = query;
      const accounts = storage.lives.list().filter(({ address, withdrawn }) =>
        mayTouch(caller, address) && (domain === undefined || address.endsWith(`@${domain}`)) && (state === undefined || (state === 'live') === (withdrawn === undefined)));
      const { items, total, next } = pageOf(accounts, wanted, { key: ({ address }) => address, texts: ({ address, aliases }) => [address, ...aliases] });
      return Promise.resolve({ total, ...(next === undefined ? {} : { next }), accounts: items.map((summary) => listed(summary, keepDays)) });
    }),
    handled(auditOperations.listAccountAudit, async ({ params }) => Promise.resolve({
      entries: storage.lives.acts(params.address).toReversed().map((act) => ({ ...act, result: 'done' })),
    })),
    handled(accountOperations.addAccount, async ({ body, caller, reply }) => {
      reply.note({ address: body.address });
      demandAddress(caller, body.address);
      const { address } = await accounts.local.add(body.address, body.password);
      return { address, node: nodeName };
    }),
    handled(accountOperations.signOut, async ({ params }) => {
      await endSessions(accounts, params.address);
      return {};
    }),
  ];
}

/** Where nothing is kept, there is nothing to end, and no account is made for it. */
async function endSessions({ local }: Pick<Accounts, 'local'>, address: string): Promise<void> {
  await (await local.find(address))?.endSessions();
}

const dayMs = 86_400_000;

function listed({ address, bytes, messages, limits, ownLimits, ownPassword, aliases, terms: { status, services }, withdrawn }: AccountSummary, { keepDeletedDays, keepVanishedDays }: AccountGround['keepDays']): z.input<typeof accountSchema> {
  const at = (ms: number): string => new Date(ms).toISOString();
  return {
    address, bytes, messages, bytesLimit: limits.bytes, messagesLimit: limits.messages, passwordHere: ownPassword === 'yes', aliases: [...aliases], status,
    ownQuota: { ...(ownLimits.bytes === undefined ? {} : { maxKilobytes: Math.floor(ownLimits.bytes / 1024) }), ...(ownLimits.messages === undefined ? {} : { maxMessages: ownLimits.messages }) },
    ...(services === undefined ? {} : { services: [...services] }),
    ...(withdrawn === undefined ? {} : { withdrawn: { why: withdrawn.why, at: at(withdrawn.atMs), removedAt: at(withdrawn.atMs + (withdrawn.why === 'deleted' ? keepDeletedDays : keepVanishedDays) * dayMs) } }),
  };
}
