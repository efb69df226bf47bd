/** Rights of an account's mailboxes in the index: what holds for a name, and how an entry is changed. */
import { Failure } from '../../shared/base/failure.ts';
import { checkRightsOfMailbox } from './account-bounds.ts';
import type { AccountChange } from './account-change.ts';
import { getMailbox, mailboxIdOf } from './entries.ts';
import type { MailboxEntry } from './entries.ts';
import { dropGrants, noteGrants } from './grants.ts';
import type { Tables } from './keys.ts';
import { canonicalName, namesAbove } from './mailbox-name.ts';
import { withEntry } from './rights.ts';
import type { FolderRights, RightsEntry } from './rights.ts';

/** Longer than any key may be. */
const longestKeyBytes = 1000;

/** Inside `read`. */
export function rightsAlong(tables: Tables, account: number, wanted: string): FolderRights {
  const name = canonicalName(wanted);
  if (Buffer.byteLength(name) > longestKeyBytes) return { own: [], inherited: [] };
  const rightsOf = (one: string): readonly RightsEntry[] => mailboxOf(tables, account, one)?.rights ?? [];
  const inherited = namesAbove(name).toReversed().flatMap((from) => rightsOf(from).filter(({ scope }) => scope === 'subfolders').map((entry) => ({ ...entry, from })));
  return { own: rightsOf(name), inherited };
}

/** Inside `write`. @throws Failure `mailbox-missing`, `limit` */
export function changeRightsOf(change: AccountChange, name: string, { who, to }: { readonly who: string; readonly to: (before: RightsEntry) => RightsEntry }): void {
  const { tables } = change.volume;
  const entry = mailboxOf(tables, change.number, name);
  if (entry === undefined) throw new Failure('mailbox-missing', 'mailbox does not exist');
  const before = entry.rights ?? [];
  const rights = withEntry(before, to(before.find((one) => one.who === who) ?? { who, allow: '', deny: '', scope: 'folder' }));
  if (rights.length > before.length) checkRightsOfMailbox(change.volume, rights.length);
  giveRights(change, entry.id, rights);
  change.noteListChange();
}

/** These entries and no others. Inside `write`. */
export function giveRights(change: AccountChange, id: number, rights: readonly RightsEntry[]): void {
  const { tables } = change.volume;
  const mailbox = change.mailbox(id);
  dropGrants(tables, mailbox.entry);
  mailbox.setRights(rights);
  noteGrants(tables, mailbox.entry, change.address);
}

function mailboxOf(tables: Tables, account: number, name: string): MailboxEntry | undefined {
  const id = mailboxIdOf(tables, account, name);
  return id === undefined ? undefined : getMailbox(tables, id);
}
