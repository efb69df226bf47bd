/** Which mailboxes ESEARCH looks into (RFC 7377 section 2.2): the user's own, and those that others share with him on this node. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import { isMeant } from '../../shared/imap/mailbox-filter.ts';
import type { MailboxFilter } from '../../shared/imap/mailbox-filter.ts';
import type { Account } from '../storage/storage.ts';
import { nameOfShared, placeOf } from './place.ts';
import type { Place } from './place.ts';
import type { Session } from './session.ts';

export interface SearchSource {
  readonly account: Account;
  readonly id: number;
  /** As the client calls it. */
  readonly name: string;
  readonly messages: number;
}

interface SearchSources {
  /** Each once. */
  readonly sources: readonly SearchSource[];
  /** False when folders that are on other nodes were left out. */
  readonly isWhole: boolean;
}

/** Names of nothing, and of what the user may not read, are passed over, lest they tell what there is. @throws Failure */
export async function sourcesOf(session: Session, account: Account, filters: readonly MailboxFilter[]): Promise<SearchSources> {
  if (session.guest !== undefined && filters.some(({ kind }) => kind !== 'selected')) throw new Failure('forbidden', 'guests search the selected mailbox alone');
  const subscriptions = account.subscriptions();
  const found: SearchSource[] = filters.some(({ kind }) => kind === 'selected') ? selectedSource(session) : [];
  for (const state of account.mailboxes()) {
    const named = { name: state.name, subscribed: state.subscribed, whose: 'own' as const };
    if (filters.some((filter) => isMeant(filter, named))) found.push({ account, id: state.id, name: state.name, messages: state.messages });
  }
  const { places, isWhole } = await sharedPlaces(session, filters.flatMap((filter) => namedFilters(filter, subscriptions)));
  for (const place of places) found.push(...(await sharedSources(session, place)));
  return { sources: [...new Map(found.map((source) => [`${source.account.id} ${String(source.id)}`, source])).values()], isWhole };
}

const namedKinds = ['subtree', 'subtree-one', 'mailboxes'] as const;

/** One name, and what is meant by it. */
interface NamedFilter {
  readonly kind: (typeof namedKinds)[number];
  readonly name: string;
}

function namedFilters(filter: MailboxFilter, subscriptions: readonly string[]): NamedFilter[] {
  if (filter.kind === 'subscribed') return subscriptions.map((name) => ({ kind: 'mailboxes', name }));
  return 'names' in filter ? Array.from(filter.names, (name) => ({ kind: filter.kind, name })) : [];
}

/** What is meant of the folders of one who shares some, by the names that they have there. */
interface SharedPlace {
  readonly account: Account;
  readonly named: Readonly<Record<NamedFilter['kind'], Set<string>>>;
}

/** Of those who share folders on this node, each once: the folders of an account are looked at once, however many of them are named. */
async function sharedPlaces(session: Session, filters: readonly NamedFilter[]): Promise<{ readonly places: readonly SharedPlace[]; readonly isWhole: boolean }> {
  const places = new Map<string, SharedPlace>();
  let isWhole = true;
  const pacer = new Pacer();
  for (const { kind, name } of filters) {
    const place = await placeIfAny(session, name);
    if (place?.at === 'away') isWhole = false;
    if (place?.at === 'here' && place.whose === 'others') {
      const { account } = place;
      const known = places.get(account.id) ?? { account, named: { subtree: new Set(), 'subtree-one': new Set(), mailboxes: new Set() } };
      known.named[kind].add(place.name);
      places.set(account.id, known);
    }
    if (pacer.isDue) await pacer.breathe();
  }
  return { places: [...places.values()], isWhole };
}

function selectedSource(session: Session): SearchSource[] {
  if (session.state.at !== 'selected') return [];
  const { place: { account, whose }, view } = session.state;
  const { id, name, messages } = view.mailbox.state();
  const shown = whose === 'own' ? name : nameOfShared(session, { owner: account.address, name });
  return [{ account, id, name: shown ?? name, messages }];
}

async function placeIfAny(session: Session, name: string): Promise<Place | undefined> {
  try {
    return await placeOf(session, name);
  } catch (error) {
    if (isFailure(error, 'mailbox-missing')) return undefined;
    throw error;
  }
}

/** What the user may read there, and, if he did not name it himself, may know of. */
async function sharedSources(session: Session, { account, named }: SharedPlace): Promise<SearchSource[]> {
  const filters = namedKinds.map((kind) => ({ kind, names: named[kind] }));
  const found: SearchSource[] = [];
  const pacer = new Pacer();
  for (const state of account.mailboxes()) {
    if (pacer.isDue) await pacer.breathe();
    if (!filters.some((filter) => isMeant(filter, { name: state.name, subscribed: false, whose: 'others' }))) continue;
    const rights = await session.options.sharing.rightsOf(session.visitor, account, state.name);
    const shown = nameOfShared(session, { owner: account.address, name: state.name });
    const isNamed = filters.some(({ names }) => names.has(state.name));
    if (!rights.includes('r') || (!isNamed && !rights.includes('l')) || shown === undefined) continue;
    found.push({ account, id: state.id, name: shown, messages: state.messages });
  }
  return found;
}
