/**
 * Who may do what with a folder that is not theirs (pure). A folder has entries for users, groups and everybody; each right of an entry is
 * allowed, denied or neither, and the entry holds for the folder alone or for those below as well.
 */
import { normalRights, withoutRights } from '../../shared/imap/rights.ts';
import type { Rights } from '../../shared/imap/rights.ts';

/** Everybody whose folders these may be: all users of the owner's domain, and of those whose public folders the owner keeps. */
export const anyone = 'anyone';
/** What a group's address begins with. */
export const groupMark = '$';

export interface RightsEntry {
  /** An address in lower case; a group's address behind `$`; `anyone`. */
  readonly who: string;
  readonly allow: Rights;
  readonly deny: Rights;
  readonly scope: 'folder' | 'subfolders';
}

/** The entries that concern a folder. */
export interface FolderRights {
  readonly own: readonly RightsEntry[];
  /** Of the folders above, as far as they hold for those below, the nearest first. */
  readonly inherited: readonly (RightsEntry & { readonly from: string })[];
}

/** Whether an entry is about somebody; `unknown`: of a group of which nobody can say who is in it. */
export type Applies = 'yes' | 'no' | 'unknown';

/**
 * What somebody may do to whom these entries apply: what any of them denies is denied, whatever the others say (manual, "Folders and permissions").
 * An entry of which that is unknown denies what it denies, and allows nothing.
 */
export function effectiveRights({ own, inherited }: FolderRights, applies: (who: string) => Applies): Rights {
  const entries = [...own, ...inherited];
  const allowed = entries.filter(({ who }) => applies(who) === 'yes').map(({ allow }) => allow);
  const denied = entries.filter(({ who }) => applies(who) !== 'no').map(({ deny }) => deny);
  return withoutRights(normalRights(allowed.join('')), denied.join(''));
}

/** The groups whose members must be known to say what somebody may do. */
export function groupsNamed({ own, inherited }: FolderRights): readonly string[] {
  return [...new Set([...own, ...inherited].map(({ who }) => who).filter((who) => who.startsWith(groupMark)))];
}

/** Entries with this one in the place of the one for the same; without it when nothing is left of it. */
export function withEntry(entries: readonly RightsEntry[], entry: RightsEntry): readonly RightsEntry[] {
  const others = entries.filter(({ who }) => who !== entry.who);
  return entry.allow === '' && entry.deny === '' ? others : [...others, entry];
}
