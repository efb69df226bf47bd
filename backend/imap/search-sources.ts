/** Which mailboxes ESEARCH looks into (RFC 7377 section 2.2): the user's own, and those that others share with him on this node. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { isMeant } from '../../shared/imap/mailbox-filter.ts';
import type { MailboxFilter } from '../../shared/imap/mailbox-filter.ts';
import type { Account } from '../storage/storage.ts';
import { nameOfShared, placeOf } from './place.ts';
import type { HerePlace, Place } from './place.ts';
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
  let isWhole = true;
  for (const filter of filters.flatMap((each) => namedFilters(each, subscriptions))) {
    const place = await placeIfAny(session, filter.name);
    if (place?.at === 'away') isWhole = false;
    if (place?.at === 'here' && place.whose === 'others') found.push(...(await sharedSources(session, place, filter)));
  }
  return { sources: [...new Map(found.map((source) => [`${source.account.id} ${String(source.id)}`, source])).values()], isWhole };
}

/** One name, and what is meant by it. */
interface NamedFilter {
  readonly kind: 'subtree' | 'subtree-one' | 'mailboxes';
  readonly name: string;
}

function namedFilters(filter: MailboxFilter, subscriptions: readonly string[]): NamedFilter[] {
  if (filter.kind === 'subscribed') return subscriptions.map((name) => ({ kind: 'mailboxes', name }));
  return 'names' in filter ? filter.names.map((name) => ({ kind: filter.kind, name })) : [];
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
async function sharedSources(session: Session, { account, name }: HerePlace, { kind }: NamedFilter): Promise<SearchSource[]> {
  const found: SearchSource[] = [];
  for (const state of account.mailboxes()) {
    if (!isMeant({ kind, names: [name] }, { name: state.name, subscribed: false, whose: 'others' })) continue;
    const rights = await session.options.sharing.rightsOf(session.visitor, account, state.name);
    const shown = nameOfShared(session, { owner: account.address, name: state.name });
    if (!rights.includes('r') || (state.name !== name && !rights.includes('l')) || shown === undefined) continue;
    found.push({ account, id: state.id, name: shown, messages: state.messages });
  }
  return found;
}
