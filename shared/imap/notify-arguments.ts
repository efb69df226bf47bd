/** The arguments of NOTIFY (RFC 5465 section 8). Pure. */
import { takeFetchList } from './fetch-items.ts';
import type { FetchItem } from './fetch-items.ts';
import { takeMailboxFilter } from './mailbox-filter.ts';
import type { MailboxFilter } from './mailbox-filter.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

export const messageEvents = ['MessageNew', 'MessageExpunge', 'FlagChange'] as const;
/** All that we know of; AnnotationChange is of RFC 5257, which nobody speaks. */
export const notifyEvents = [...messageEvents, 'MailboxName', 'SubscriptionChange', 'MailboxMetadataChange', 'ServerMetadataChange'] as const;
export type NotifyEvent = (typeof notifyEvents)[number];

export interface EventGroup {
  readonly filter: MailboxFilter;
  readonly events: ReadonlySet<NotifyEvent>;
  /** What is to be told of each new message; only of the open mailbox. */
  readonly fetch: readonly FetchItem[];
  /** As the client said it, in its brackets. */
  readonly text: string;
}

export type NotifyArguments =
  | { readonly kind: 'none' }
  /** `unknown`: there is an event that we don't know, which is answered by NO. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'set'; readonly status: 'yes' | 'no'; readonly groups: readonly EventGroup[] };

const mostGroups = 100;
const longestEvent = 100;

/** @throws bad-input */
export function parseNotify(scanner: Scanner, encoding: NameEncoding): NotifyArguments {
  if (scanner.acceptWord('NONE')) return { kind: 'none' };
  if (!scanner.acceptWord('SET')) throw malformed('expected SET or NONE');
  scanner.space();
  const status = scanner.acceptWord('STATUS') ? 'yes' : 'no';
  if (status === 'yes') scanner.space();
  const taken: TakenGroup[] = [];
  do taken.push(takeGroup(scanner, encoding));
  while (scanner.accept(' '));
  if (taken.length > mostGroups) throw malformed('too many groups of events');
  if (taken.some(({ unknown }) => unknown)) return { kind: 'unknown' };
  if (taken.filter(({ group }) => isOfSelected(group.filter)).length > 1) throw malformed('the selected mailbox is named twice');
  for (const { group } of taken) checkEvents(group);
  return { kind: 'set', status, groups: taken.map(({ group }) => group) };
}

interface TakenGroup {
  readonly group: EventGroup;
  readonly unknown: boolean;
}

function isOfSelected({ kind }: MailboxFilter): boolean {
  return kind === 'selected' || kind === 'selected-delayed';
}

function takeGroup(scanner: Scanner, encoding: NameEncoding): TakenGroup {
  const { rest } = scanner;
  scanner.expect('(');
  const filter = takeMailboxFilter(scanner, encoding);
  if (filter.kind === 'subtree-one') throw malformed('subtree-one is for ESEARCH alone');
  scanner.space();
  const events = new Set<NotifyEvent>();
  let fetch: readonly FetchItem[] = [];
  let unknown = false;
  if (!scanner.acceptWord('NONE')) {
    scanner.list(() => {
      const word = scanner.word();
      if (word.length > longestEvent) throw malformed('unknown event');
      const event = notifyEvents.find((name) => name.toUpperCase() === word);
      if (event === undefined) unknown = true;
      else events.add(event);
      if (event === 'MessageNew' && scanner.acceptsAhead(/ \(/)) fetch = takeFetchList(scanner);
    });
  }
  scanner.expect(')');
  return { group: { filter, events, fetch, text: rest.slice(0, rest.length - scanner.rest.length) }, unknown };
}

/** RFC 5465 sections 5 and 6.1. */
function checkEvents({ filter, events, fetch }: EventGroup): void {
  if (events.has('MessageNew') !== events.has('MessageExpunge')) throw malformed('MessageNew and MessageExpunge come together');
  if (events.has('FlagChange') && !events.has('MessageNew')) throw malformed('FlagChange needs MessageNew and MessageExpunge');
  if (!isOfSelected(filter)) {
    if (fetch.length > 0) throw malformed('items are fetched of the selected mailbox only');
  } else if ([...events].some((event) => !messageEvents.some((name) => name === event))) throw malformed('only events of messages are told of the selected mailbox');
}
