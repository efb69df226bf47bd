/** Rights on folders over the admin API, at the back-end that keeps the account. Every change is in the audit. */
import type { z } from 'zod';
import { folderRightsOperations } from '../../cluster-config/admin/contract/folder-rights.ts';
import { Failure } from '../../shared/base/failure.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { levelOf } from '../../shared/imap/rights-levels.ts';
import type { Sharing } from '../sharing/sharing.ts';
import type { Account, RightsEntry, Storage } from '../storage/storage.ts';

export interface FolderRightsGround {
  readonly storage: Pick<Storage, 'find'>;
  readonly sharing: Sharing;
}

type Told = z.input<typeof folderRightsOperations.setFolderRights.answer>;

export function folderRightsHandlers({ storage, sharing }: FolderRightsGround): readonly Handled[] {
  const accountOf = (address: string): Account => {
    const record = storage.find(address);
    if (record.at !== 'live') throw new Failure('unknown-user', 'there is no account in use of that address');
    return record.account;
  };
  return [
    handled(folderRightsOperations.listFolderRights, async ({ params: { address }, query: { folder } }) => {
      const account = accountOf(address);
      const names = folder === undefined ? account.mailboxes().map(({ name }) => name) : [demandFolder(account, folder)];
      return Promise.resolve({ entries: names.flatMap((name) => toldOf(account, name, folder === undefined ? 'own' : 'all')) });
    }),
    handled(folderRightsOperations.setFolderRights, async ({ params: { address }, body, reply }) => {
      const { folder, allow, deny, subfolders } = body;
      reply.note({ ...body });
      const account = accountOf(address);
      const who = await sharing.identifier(body.who, domainOf(address));
      if (who === account.address) throw new Failure('bad-input', 'the owner of a folder always has all rights');
      const entry: RightsEntry = { who, allow, deny, scope: subfolders ? 'subfolders' : 'folder' };
      await account.changeRights(folder, who, () => entry);
      return told(folder, entry);
    }),
    handled(folderRightsOperations.removeFolderRights, async ({ params: { address }, query: { folder, who }, reply }) => {
      reply.note({ folder, who });
      const account = accountOf(address);
      const known = account.folderRights(demandFolder(account, folder)).own.find((entry) => entry.who === who.toLowerCase() || entry.who === `${who.toLowerCase()}@${domainOf(address)}`);
      if (known !== undefined) await account.changeRights(folder, known.who, (before) => ({ ...before, allow: '', deny: '' }));
      return { removed: known !== undefined };
    }),
    handled(folderRightsOperations.showEffectiveRights, async ({ params: { address }, query: { folder, user } }) => {
      const account = accountOf(address);
      const name = demandFolder(account, folder);
      const { rights, because } = await sharing.reasonedRights(user, account, name);
      return { rights, level: levelOf(rights), because: because.map((entry) => told(entry.from ?? name, entry)) };
    }),
  ];
}

function demandFolder(account: Account, folder: string): string {
  if (account.mailbox(folder) === undefined) throw new Failure('mailbox-missing', `the account has no folder ${folder}`);
  return folder;
}

function toldOf(account: Account, folder: string, which: 'own' | 'all'): Told[] {
  const { own, inherited } = account.folderRights(folder);
  return [...own.map((entry) => told(folder, entry)), ...(which === 'all' ? inherited.map((entry) => told(entry.from, entry)) : [])];
}

function told(folder: string, { who, allow, deny, scope }: RightsEntry): Told {
  return { folder, who, allow, deny, level: levelOf(allow), subfolders: scope === 'subfolders' };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
