/** What NOTIFY tells of the names of folders of others (RFC 5465 sections 5.4 and 5.9): made, gone and renamed, as far as the user may see them. Pure. */
import { levelsAbove } from '../../shared/imap/mailbox-name.ts';
import { namesOf } from './mailbox-events.ts';
import type { Names } from './mailbox-events.ts';
import type { ListedName } from './mailbox-lines.ts';

/** What the user may see, by the names that he knows: at the last look, and now. */
export interface SeenNames {
  readonly before: Names;
  readonly now: Names;
  /** What the client made, renamed or removed itself. */
  readonly own: ReadonlySet<string>;
}

/** @param wants whether the client wants to hear of that name */
export function listedNames({ before, now, own }: SeenNames, { wants, subscriptions }: { readonly wants: (name: string) => boolean; readonly subscriptions: ReadonlySet<string> }): ListedName[] {
  const events = namesOf(before, now, own).filter((event) => wants(event.name) || (event.kind === 'renamed' && wants(event.oldName)));
  if (events.length === 0) return [];
  const there = new Set(now.values());
  const above = new Set(Array.from(there, levelsAbove).flat());
  return events.map((event) => {
    const { name } = event;
    const attributes = [...(there.has(name) ? [] : ['\\NonExistent']), above.has(name) ? '\\HasChildren' : '\\HasNoChildren', ...(subscriptions.has(name) ? ['\\Subscribed'] : [])];
    return { name, oldName: event.kind === 'renamed' ? event.oldName : undefined, attributes };
  });
}

/** What could be read and can't be any more, or can be again. */
export function listedReach({ gone, back }: { readonly gone: readonly string[]; readonly back: readonly string[] }, subscriptions: ReadonlySet<string>): ListedName[] {
  const listed = (...attributes: string[]) => (name: string): ListedName => ({ name, oldName: undefined, attributes: [...attributes, ...(subscriptions.has(name) ? ['\\Subscribed'] : [])] });
  return [...gone.map(listed('\\NoAccess')), ...back.map(listed())];
}
