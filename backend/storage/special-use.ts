/** Which mailboxes have special uses (RFC 6154). Each use belongs to one mailbox of an account at most; a mailbox may have several. */
import { Failure } from '../../shared/base/failure.ts';
import type { AccountChange } from './account-change.ts';
import { entriesOf } from './entries.ts';
import type { MailboxEntry } from './entries.ts';

/** Uses that stand for real mailboxes. `\All` and `\Flagged` are views of others, which we have not. */
const possible: ReadonlySet<string> = new Set(['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash']);

/** As the index has them: divided by spaces, null for none. */
export function specialUsesOf({ specialUse }: Pick<MailboxEntry, 'specialUse'>): readonly string[] {
  return specialUse === null || specialUse === '' ? [] : specialUse.split(' ');
}

/** What the index keeps of these uses. Throws `use-refused` for one that another mailbox has, or that no mailbox can have. */
export function usesForNew(change: AccountChange, uses: readonly string[]): string | null {
  const wanted = checkedUses(uses);
  if (wanted.length === 0) return null;
  const taken = entriesOf(change.volume.tables, change.number).flatMap((entry) => specialUsesOf(entry)).find((use) => wanted.includes(use));
  if (taken !== undefined) throw new Failure('use-refused', `another mailbox is ${taken} already`);
  return wanted.join(' ');
}

/** Gives a mailbox these uses and no others; who had them has them no more (RFC 6154 section 5.4). Throws `use-refused`. */
export function giveSpecialUses(change: AccountChange, id: number, uses: readonly string[]): void {
  const wanted = checkedUses(uses);
  for (const entry of entriesOf(change.volume.tables, change.number)) {
    if (entry.id === id && entry.name === 'INBOX' && wanted.length > 0) throw new Failure('use-refused', 'INBOX has no special use');
    const has = specialUsesOf(entry);
    const keeps = entry.id === id ? wanted : has.filter((use) => !wanted.includes(use));
    if (keeps.join() !== has.join()) change.mailbox(entry.id).setSpecialUse(keeps.length === 0 ? null : keeps.join(' '));
  }
}

/** In their usual spelling, each once, in one order. */
function checkedUses(uses: readonly string[]): string[] {
  const known = uses.map((use) => {
    const found = [...possible].find((name) => name.toLowerCase() === use.toLowerCase());
    if (found === undefined) throw new Failure('use-refused', `${use} is no use that a mailbox can have here`);
    return found;
  });
  return [...new Set(known)].sort();
}
