/** Which folders of others the specifiers of ESEARCH (RFC 7377) and NOTIFY (RFC 5465) name, by owner: here, and on other nodes. */
import { isFailure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import type { MailboxFilter } from '../../shared/imap/mailbox-filter.ts';
import type { Account } from '../storage/storage.ts';
import { nameOfShared, ownerNamed, placeOf } from './place.ts';
import type { AwayPlace, Place } from './place.ts';
import type { Session } from './session.ts';

export const namedKinds = ['subtree', 'subtree-one', 'mailboxes'] as const;
export type NamedKind = (typeof namedKinds)[number];
type Named = Readonly<Record<NamedKind, Set<string>>>;

/** One name, and what is meant by it. */
export interface NamedFilter {
  readonly kind: NamedKind;
  readonly name: string;
}

/** As far as folders of others can be meant. */
export function namedFilters(filter: MailboxFilter, subscriptions: readonly string[]): NamedFilter[] {
  if (filter.kind === 'subscribed') return subscriptions.map((name) => ({ kind: 'mailboxes', name }));
  return 'names' in filter ? Array.from(filter.names, (name) => ({ kind: filter.kind, name })) : [];
}

/** Whose folders are meant, by the names alone. */
export function ownersNamed(session: Session, filters: readonly NamedFilter[]): (owner: string) => boolean {
  const owners = new Set(filters.map(({ name }) => ownerNamed(session, name)));
  return (owner) => owners.has(owner) || owners.has('');
}

/** Below the level of all owners are those who share something with the user. @param known owners who do, though lists of what is shared may lag behind a move of their account */
export async function withOwners(session: Session, filters: readonly NamedFilter[], known: readonly string[] = []): Promise<{ readonly filters: readonly NamedFilter[]; readonly silent: readonly string[] }> {
  const { sharing } = session.options;
  const { otherUsers } = sharing.namespaces;
  if (session.guest !== undefined || !filters.some(({ kind, name }) => kind === 'subtree' && name === otherUsers)) return { filters, silent: [] };
  const { folders, silent } = await sharing.sharedWith(session.visitor);
  const names = new Set([...folders.map(({ owner }) => owner), ...known].flatMap((owner) => {
    const name = nameOfShared(session, { owner, name: '' });
    return name?.startsWith(`${otherUsers}/`) === true ? [name.slice(0, -1)] : [];
  }));
  return { filters: [...filters, ...Array.from(names, (name): NamedFilter => ({ kind: 'subtree', name }))], silent };
}

/** What is meant of the folders of one who shares some, by the names that they have there; the empty one is above all of them. */
export interface SharedPlace {
  readonly account: Account;
  readonly named: Named;
}

/** The same of one whose account is on another node, by the names that the client says. */
export interface AwayNamed {
  readonly place: AwayPlace;
  readonly named: Named;
}

interface PlacesNamed {
  readonly here: readonly SharedPlace[];
  readonly away: readonly AwayNamed[];
}

/** Of those who share folders, each once: the folders of an account are looked at once, however many of them are named. @throws Failure('directory-unavailable') */
export async function placesNamed(session: Session, filters: readonly NamedFilter[]): Promise<PlacesNamed> {
  const here = new Map<string, SharedPlace>();
  const away = new Map<string, AwayNamed>();
  const pacer = new Pacer();
  for (const { kind, name } of filters) {
    const place = await placeIfAny(session, name);
    if (place?.at === 'away') {
      const known = away.get(place.owner) ?? { place, named: noNames() };
      known.named[kind].add(name);
      away.set(place.owner, known);
    }
    if (place?.at === 'here' && place.whose === 'others') {
      const { account } = place;
      const known = here.get(account.id) ?? { account, named: noNames() };
      known.named[kind].add(place.name);
      here.set(account.id, known);
    }
    if (pacer.isDue) await pacer.breathe();
  }
  return { here: [...here.values()], away: [...away.values()] };
}

export function noNames(): Named {
  return { subtree: new Set(), 'subtree-one': new Set(), mailboxes: new Set() };
}

async function placeIfAny(session: Session, name: string): Promise<Place | undefined> {
  try {
    return await placeOf(session, name);
  } catch (error) {
    if (isFailure(error, 'mailbox-missing')) return undefined;
    throw error;
  }
}
