/** Which folders of others a user may see on this node, and what of it NOTIFY (RFC 5465) tells him. */
import type { NotifyEvent } from '../../shared/imap/notify-arguments.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import { isOpen } from '../sharing/sharing.ts';
import type { Account, MailboxState, Storage } from '../storage/storage.ts';
import { mayAnnotate } from './metadata.ts';
import { nameOfShared } from './place.ts';
import type { Session } from './session.ts';

/** One that the user may see, by the name that he knows. */
export interface Seen {
  readonly account: Account;
  readonly state: MailboxState;
  readonly name: string;
  readonly rights: Rights;
}

/** By MAILBOXID (RFC 8474), which stays when the folder is renamed, or its account moves away and comes back. */
export type SeenFolders = ReadonlyMap<string, Seen>;

export type Wants = (event: NotifyEvent, name: string) => boolean;

interface Look {
  readonly folders: Map<string, Seen>;
  /** `again`: an account went to another node meanwhile. */
  readonly then: 'done' | 'again';
}

/** Those of the owners who are meant. Of accounts that nobody may be in for the time being the names stay: nobody has changed them. @throws as `sharing.allSharedHere` */
export async function lookAtFolders(session: Session, before: SeenFolders, isMeant: (owner: string) => boolean): Promise<Look> {
  const { account, guest, visitor, options: { sharing, storage } } = session;
  const folders = new Map<string, Seen>();
  let then: Look['then'] = 'done';
  for (const folder of guest === undefined ? await sharing.allSharedHere(visitor, isMeant) : await sharing.sharedBy(account, visitor)) {
    const name = nameOfShared(session, folder);
    if (name !== undefined) folders.set(folder.state.mailboxId, { ...folder, name });
  }
  for (const [key, folder] of before) {
    if (folders.has(key)) continue;
    if (isElsewhere(folder.account, storage)) {
      folders.set(key, folder);
      then = 'again';
    } else if (isSetAside(folder.account, storage)) folders.set(key, { ...folder, rights: '' });
  }
  return { folders, then };
}

/** Those accounts which another node has now, or is about to have. */
export function departedAccounts(session: Session, folders: SeenFolders): readonly Account[] {
  const accounts = new Map(Array.from(folders.values(), ({ account }) => [account.id, account]));
  return [...accounts.values()].filter((account) => isElsewhere(account, session.options.storage));
}

function isElsewhere(account: Account, storage: Pick<Storage, 'find'>): boolean {
  if (account.standing() !== 'gone') return false;
  const { at } = storage.find(account.address);
  return at === 'moved' || at === 'arriving';
}

/** Whether nobody may be in it for the time being: its folders are still there. Of one that was deleted nothing is. */
function isSetAside(account: Account, storage: Pick<Storage, 'find'>): boolean {
  if (account.standing() !== 'gone') return !isOpen(account);
  const record = storage.find(account.address);
  return record.at === 'withdrawn' && record.why === 'vanished';
}

/** `closed`: the user lacks a right that an event needs which he asked for (RFC 5465 section 3.1): `r` for messages, for annotations what RFC 5464 section 3.3 says; names need no other than the one to see it. */
export type Telling = 'told' | 'closed' | 'not meant';

export function tellingOf(folder: Seen, wants: Wants): Telling {
  const [messages, annotations] = [wants('MessageNew', folder.name), wants('MailboxMetadataChange', folder.name)];
  if (!messages && !annotations) return 'not meant';
  return (messages && !folder.rights.includes('r')) || (annotations && !mayAnnotate(folder)) ? 'closed' : 'told';
}
