/** What a back-end does of the admin API for the accounts that it keeps: lists, local accounts, passwords, sign-out. */
import { accountOperations } from '../../cluster-config/admin/contract/accounts.ts';
import { auditOperations } from '../../cluster-config/admin/contract/audit.ts';
import { pageOf } from '../../cluster-config/admin/paging.ts';
import type { DirectoryAccess } from '../../cluster-config/directory-access.ts';
import { demandAddress, mayTouch } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { AccountMoves } from '../account-move/account-move.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Storage } from '../storage/storage.ts';

export interface AccountGround {
  readonly nodeName: string;
  readonly storage: Storage;
  readonly accounts: Accounts;
  readonly moves: Pick<AccountMoves, 'record'>;
  readonly directory: Pick<DirectoryAccess, 'maps' | 'takerOf'>;
}

export function accountHandlers({ nodeName, storage, accounts, moves, directory }: AccountGround): readonly Handled[] {
  return [
    handled(accountOperations.showNodeAccount, async ({ params }) => Promise.resolve(moves.record(params.address))),
    handled(accountOperations.listNodeAccounts, async ({ query, caller }) => {
      const addresses = storage.addresses().filter((address) => mayTouch(caller, address));
      const { items, total, next } = pageOf(addresses, query, { key: (address) => address, texts: (address) => [address] });
      return Promise.resolve({ total, ...(next === undefined ? {} : { next }), accounts: items.flatMap((address) => listed(storage, address)) });
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
    handled(accountOperations.setPassword, async ({ params, body }) => {
      const takenBy = await setPassword({ accounts, directory, nodeName }, params.address, body.password);
      await endSessions(accounts, params.address);
      return { takenBy };
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

function listed(storage: Storage, address: string): { address: string; bytes: number; messages: number; passwordHere: boolean }[] {
  const record = storage.find(address);
  if (record.at !== 'live') return []; // it went while we looked
  const { bytes, messages } = record.account.quota();
  return [{ address, bytes, messages, passwordHere: record.account.passwordHash() !== undefined }];
}

/** At the directory that has it, or here. Answers who took it. */
async function setPassword({ accounts, directory, nodeName }: Pick<AccountGround, 'accounts' | 'directory' | 'nodeName'>, address: string, password: string): Promise<string> {
  const { maps } = directory;
  const entry = await maps.lookUp(address);
  if (entry === undefined && maps.covers(address)) throw new Failure('unknown-user', `there is no user ${address}`);
  if (entry === undefined || entry.local !== undefined) {
    await accounts.local.setPassword(address, password);
    return `back-end ${nodeName}`;
  }
  await maps.changePassword(entry, { kind: 'reset' }, password);
  return directory.takerOf(entry);
}
