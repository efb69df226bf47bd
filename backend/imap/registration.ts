/** What a client asked to be told by NOTIFY (RFC 5465 sections 3.1 and 6): of the open mailbox, and of any other. Pure. */
import type { FetchItem } from '../../shared/imap/fetch-items.ts';
import { isMeant } from '../../shared/imap/mailbox-filter.ts';
import type { NamedMailbox } from '../../shared/imap/mailbox-filter.ts';
import type { EventGroup, NotifyEvent } from '../../shared/imap/notify-arguments.ts';

/** What is told of the open mailbox. */
export interface SelectedWishes {
  /** `nothing`: the client's numbers stay as they are, whatever others do. */
  readonly messages: 'told' | 'nothing';
  readonly flags: 'told' | 'nothing';
  /** `at-once`: also between commands. `delayed`: so too, but removals only with a command that may tell them. */
  readonly when: 'with-commands' | 'at-once' | 'delayed';
  /** Items that are told of new messages. */
  readonly fetch: readonly FetchItem[];
}

/** As long as NOTIFY was not used. */
export const usualWishes: SelectedWishes = { messages: 'told', flags: 'told', when: 'with-commands', fetch: [] };
const noWishes: SelectedWishes = { messages: 'nothing', flags: 'nothing', when: 'with-commands', fetch: [] };

/** Those that are told of folders of others. */
const eventsOfOthers = ['MessageNew', 'MailboxName', 'MailboxMetadataChange'] as const;

export class Registration {
  readonly selected: SelectedWishes;
  /** The wishes for the open mailbox as the client said them; undefined when there are none. */
  readonly selectedText: string | undefined;
  readonly #others: readonly EventGroup[];

  /** @param groups none: NOTIFY NONE */
  constructor(groups: readonly EventGroup[]) {
    const selected = groups.find(({ filter }) => filter.kind === 'selected' || filter.kind === 'selected-delayed');
    this.selected = selected === undefined ? noWishes : wishesOf(selected);
    this.selectedText = selected?.text;
    this.#others = groups.filter((group) => group !== selected && group.events.size > 0);
  }

  /** Whether something is to be told between commands. */
  get isActive(): boolean {
    return this.selected.when !== 'with-commands' || this.watchesOthers;
  }

  /** Whether any event of mailboxes that are not open, or of the account, is wanted. */
  get watchesOthers(): boolean {
    return this.#others.length > 0;
  }

  /** Those by which folders of others may be meant: by their names, or as subscriptions. */
  get groupsForOthers(): readonly EventGroup[] {
    return this.#others.filter(({ filter, events }) => eventsOfOthers.some((event) => events.has(event)) && (filter.kind === 'mailboxes' || filter.kind === 'subtree' || filter.kind === 'subscribed'));
  }

  get tellsServerMetadata(): boolean {
    return this.#others.some(({ events }) => events.has('ServerMetadataChange'));
  }

  /** Whether anything is wanted of that folder of somebody else. */
  wantsAnyOf(mailbox: NamedMailbox): boolean {
    return eventsOfOthers.some((event) => this.wants(event, mailbox));
  }

  /** Whether the event is wanted of that mailbox. */
  wants(event: NotifyEvent, mailbox: NamedMailbox): boolean {
    return this.#others.some(({ filter, events }) => events.has(event) && isMeant(filter, mailbox));
  }
}

function wishesOf({ filter, events, fetch }: EventGroup): SelectedWishes {
  if (!events.has('MessageNew')) return noWishes;
  return { messages: 'told', flags: events.has('FlagChange') ? 'told' : 'nothing', when: filter.kind === 'selected' ? 'at-once' : 'delayed', fetch };
}
