/** What NOTIFY tells of the names in a session's own account, and of its subscriptions (RFC 5465 sections 5.4 and 5.5). */
import type { NotifyEvent } from '../../shared/imap/notify-arguments.ts';
import { hierarchyLines, oldNameLine } from './list.ts';
import type { MailboxEvent } from './mailbox-events.ts';
import { whoseName } from './place.ts';
import type { Session } from './session.ts';
import { sharedEntries } from './shared-entries.ts';

/** One of which an event tells; `own`, and subscribed as it is, where nothing else is said. */
export interface MeantMailbox {
  readonly name: string;
  readonly whose?: 'own' | 'others';
  readonly subscribed?: boolean;
}

type Wants = (event: NotifyEvent, mailbox: MeantMailbox) => boolean;

/** LIST responses, one for each name. */
export async function nameLines(session: Session, events: readonly MailboxEvent[], wants: Wants): Promise<string[]> {
  const renamed = events.filter((event) => event.kind === 'renamed').filter(({ name, oldName }) => wants('MailboxName', { name }) || wants('MailboxName', { name: oldName }));
  const toldOf = new Set(renamed.flatMap(({ name, oldName }) => [name, oldName])); // with the subscription, which went along
  const names = new Set(events.filter((event) => isWanted(session, event, wants)).flatMap(({ kind, name }) => (kind === 'subscription' && toldOf.has(name) ? [] : [name])));
  const lines = renamed.map(({ name, oldName }) => oldNameLine(session, { whose: 'own' }, { name, oldName }));
  if (names.size === 0) return lines;
  const shared = await session.legs.alone(async () => sharedEntries(session, [...names])); // subscriptions may be to folders of others; it may have to warn
  return [...hierarchyLines(session, { names, shared }), ...lines];
}

function isWanted(session: Session, event: MailboxEvent, wants: Wants): event is Extract<MailboxEvent, { kind: 'name' | 'subscription' }> {
  if (event.kind === 'name') return wants('MailboxName', event);
  // It is among those that are subscribed to, or was until now.
  return event.kind === 'subscription' && wants('SubscriptionChange', { name: event.name, whose: whoseName(session, event.name), subscribed: true });
}
