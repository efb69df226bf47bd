/**
 * Which mailboxes ESEARCH looks into (RFC 7377 section 2.2): the user's own, and those that others share with him, here and on other nodes. A
 * guest, for whom another node asks, is told of the owner's alone.
 */
import { Failure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import { isMeant } from '../../shared/imap/mailbox-filter.ts';
import type { MailboxFilter } from '../../shared/imap/mailbox-filter.ts';
import type { Account } from '../storage/storage.ts';
import { namedFilters, namedKinds, noNames, placesNamed, withOwners } from './named-places.ts';
import type { AwayNamed, SharedPlace } from './named-places.ts';
import { nameOfShared } from './place.ts';
import type { Session } from './session.ts';

export interface SearchSource {
  readonly account: Account;
  readonly id: number;
  /** As the client calls it. */
  readonly name: string;
  readonly messages: number;
}

/** What is meant of the folders of one whose account is on another node. */
export interface AwaySource extends AwayNamed {
  /** Whether the open mailbox is meant, which is one of them. */
  readonly selected: 'yes' | 'no';
}

interface SearchSources {
  /** Each once. */
  readonly sources: readonly SearchSource[];
  /** Each owner once. */
  readonly away: readonly AwaySource[];
  /** Nodes that do not say what they share, where that is asked for. */
  readonly silent: readonly string[];
}

/** Names of nothing, and of what the user may not read, are passed over, lest they tell what there is. @throws Failure */
export async function sourcesOf(session: Session, account: Account, filters: readonly MailboxFilter[]): Promise<SearchSources> {
  const { guest } = session;
  if (guest !== undefined && filters.some((filter) => filter.kind !== 'selected' && !('names' in filter))) throw new Failure('forbidden', 'guests search what they name alone');
  const subscriptions = account.subscriptions();
  const found: SearchSource[] = filters.some(({ kind }) => kind === 'selected') ? selectedSource(session) : [];
  for (const state of guest === undefined ? account.mailboxes() : []) {
    const named = { name: state.name, subscribed: state.subscribed, whose: 'own' as const };
    if (filters.some((filter) => isMeant(filter, named))) found.push({ account, id: state.id, name: state.name, messages: state.messages });
  }
  const { filters: named, silent } = await withOwners(session, filters.flatMap((filter) => namedFilters(filter, subscriptions)));
  const { here, away } = await placesNamed(session, named);
  for (const place of here) found.push(...(await sharedSources(session, place)));
  return { sources: [...new Map(found.map((source) => [`${source.account.id} ${String(source.id)}`, source])).values()], away: withOpen(session, filters, away), silent };
}

/** The open mailbox is searched together with what else is meant of its owner's: it may be meant twice. */
function withOpen({ state }: Session, filters: readonly MailboxFilter[], away: readonly AwayNamed[]): AwaySource[] {
  const open = state.at === 'away' && filters.some(({ kind }) => kind === 'selected') ? state.place : undefined;
  const all = open === undefined || away.some(({ place }) => place.owner === open.owner) ? away : [{ place: open, named: noNames() }, ...away];
  return all.map((source) => ({ ...source, selected: source.place.owner === open?.owner ? 'yes' : 'no' }));
}

function selectedSource(session: Session): SearchSource[] {
  if (session.state.at !== 'selected') return [];
  const { place: { account, whose }, view } = session.state;
  const { id, name, messages } = view.mailbox.state();
  const shown = whose === 'own' ? name : nameOfShared(session, { owner: account.address, name });
  return [{ account, id, name: shown ?? name, messages }];
}

/** What the user may read there, and, if he did not name it himself, may know of. */
async function sharedSources(session: Session, { account, named }: SharedPlace): Promise<SearchSource[]> {
  const filters = namedKinds.map((kind) => ({ kind, names: named[kind] }));
  const found: SearchSource[] = [];
  const pacer = new Pacer();
  for (const state of account.mailboxes()) {
    if (pacer.isDue) await pacer.breathe();
    const isAmongAll = named.subtree.has('') || (named['subtree-one'].has('') && !state.name.includes('/'));
    if (!isAmongAll && !filters.some((filter) => isMeant(filter, { name: state.name, subscribed: false, whose: 'others' }))) continue;
    const rights = await session.options.sharing.rightsOf(session.visitor, account, state.name);
    const shown = nameOfShared(session, { owner: account.address, name: state.name });
    const isNamed = filters.some(({ names }) => names.has(state.name));
    if (!rights.includes('r') || (!isNamed && !rights.includes('l')) || shown === undefined) continue;
    found.push({ account, id: state.id, name: shown, messages: state.messages });
  }
  return found;
}
