/** Which flags a user may change, by the rights on the mailbox (RFC 4314 section 4). Pure. */
import { allRights } from '../../shared/imap/rights.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import { Flag } from '../storage/storage.ts';
import type { AppendMarks, FlagMask } from '../storage/storage.ts';

const otherFlags = Flag.Answered | Flag.Flagged | Flag.Draft;

/** Undefined: all. */
export function flagsWithin(rights: Rights): FlagMask | undefined {
  if (rights === allRights) return undefined;
  const flags = (rights.includes('s') ? Flag.Seen : 0) | (rights.includes('t') ? Flag.Deleted : 0) | (rights.includes('w') ? otherFlags : 0);
  return { flags, keywords: rights.includes('w') ? 'all' : 'none' };
}

/** Whether a change of these flags would change any that the user may change. */
export function mayChangeAny(rights: Rights, { mode, flags, keywords }: { readonly mode: 'add' | 'remove' | 'replace'; readonly flags: number; readonly keywords: readonly string[] }): boolean {
  const within = flagsWithin(rights);
  if (within === undefined || (flags === 0 && keywords.length === 0 && mode !== 'replace')) return true;
  if (mode === 'replace') return within.flags !== 0; // it changes those that it doesn't name, too
  return (flags & within.flags) !== 0 || (keywords.length > 0 && within.keywords === 'all');
}

/** What a message that is put into the mailbox bears of the flags that it is to have. */
export function marksWithin(rights: Rights, marks: AppendMarks): AppendMarks {
  const within = flagsWithin(rights);
  return within === undefined ? marks : { ...marks, flags: marks.flags & within.flags, keywords: within.keywords === 'all' ? marks.keywords : [] };
}

/** Whether a mailbox is opened for changes at all (RFC 4314 section 5.2; flags are the same for all users here). */
export function accessBy(rights: Rights): 'read-write' | 'read-only' {
  return [...'swtei'].some((right) => rights.includes(right)) ? 'read-write' : 'read-only';
}
