/** What one try of delivery brought for a recipient, and what follows from it: done, wait, give up, and whom to tell. Pure. */
import { counted } from '../../shared/base/counted.ts';
import { needsSmtpUtf8 } from '../../shared/smtp/address.ts';
import type { Confirmation } from './delivery-keys.ts';
import type { Destination, QueueItem, QueueRecipient } from './queue-item.ts';
import { isOutside, withRecipients } from './queue-item.ts';
import type { ReportAction, ReportedRecipient } from './report.ts';
import { delayAfter } from './retry-schedule.ts';
import type { RetryOptions } from './retry-schedule.ts';

/** Words of a refusal, ours or another server's. */
export interface Words {
  /** RFC 3463. */
  readonly status: string;
  readonly text: string;
  readonly isReply: boolean;
  readonly remote: string | undefined;
}

export type TryOutcome =
  /** `report`: how a wish for reports of success is to be met by us. `told`: for accounts of the cluster. */
  | { readonly at: 'delivered'; readonly told: Confirmation | undefined; readonly report: 'none' | 'delivered' | 'relayed'; readonly words: Words }
  | { readonly at: 'refused'; readonly permanent: 'yes' | 'no'; readonly words: Words }
  /** A server outside gave no answer. Counts as a try. */
  | { readonly at: 'unreachable'; readonly words: Words }
  /** Somebody of the cluster could not be asked; tried again at `dueAtMs`. */
  | { readonly at: 'outage'; readonly dueAtMs: number; readonly words: Words }
  /** The address stands for others (forwarding, a group), which take its place. */
  | { readonly at: 'expanded'; readonly into: readonly { readonly address: string; readonly destination: Destination }[] }
  /** The mailbox is elsewhere. */
  | { readonly at: 'moved'; readonly destination: Destination; readonly dueAtMs: number };

/** One report to the sender. */
export interface DueReport {
  readonly action: ReportAction;
  readonly recipients: readonly ReportedRecipient[];
}

export interface Conclusion {
  readonly item: QueueItem;
  readonly reports: readonly DueReport[];
}

interface Step {
  readonly recipient: QueueRecipient;
  readonly report?: { readonly action: ReportAction; readonly words: Words } | undefined;
}

/** @param outcomes by the recipient's place in the list. @param reports whether those that it answered could be made */
export function conclude(item: QueueItem, outcomes: ReadonlyMap<number, TryOutcome>, { retry, nowMs, reports: fate = 'made' }: { readonly retry: RetryOptions; readonly nowMs: number; readonly reports?: 'made' | 'not made' }): Conclusion {
  const changed = new Map<number, QueueRecipient>();
  const added: QueueRecipient[] = [];
  const byAction = new Map<ReportAction, ReportedRecipient[]>();
  for (const [index, outcome] of outcomes) {
    const before = item.recipients[index];
    if (before === undefined || before.state.at === 'finished') continue;
    if (outcome.at === 'expanded') added.push(...successors(before, outcome.into, nowMs));
    const situation = { item, recipient: before, retry, nowMs };
    const { recipient, report } = step(situation, outcome);
    changed.set(index, recipient);
    if (report === undefined || item.sender.address === '' || !wants(before, report.action)) continue; // never a report of a report
    if (fate === 'not made') changed.set(index, untold(situation, { recipient, report }));
    byAction.set(report.action, [...(byAction.get(report.action) ?? []), reported(before, report)]);
  }
  const reports = [...byAction].map(([action, recipients]) => ({ action, recipients }));
  return { item: withMore(withRecipients(item, changed), added), reports };
}

/**
 * Those who take a recipient's place. Reports about them name the recipient as the sender wrote it. The sender's wishes are
 * theirs; but of several people's getting it nobody is told (RFC 3461 section 5.2.7.3 c), only that it was passed on to them.
 */
function successors({ address, notify, orcpt }: QueueRecipient, into: (TryOutcome & { at: 'expanded' })['into'], nowMs: number): QueueRecipient[] {
  const type = needsSmtpUtf8(address) ? 'utf-8' : 'rfc822'; // RFC 6533 section 3
  return into.map((one) => ({
    ...one, node: undefined, notify: into.length > 1 ? withoutSuccess(notify) : notify, orcpt: orcpt ?? `${type};${address}`, final: 'yes',
    state: { at: 'waiting', dueAtMs: nowMs, why: 'new' }, tries: 0, delayTold: false, lastWords: undefined,
  }));
}

function withoutSuccess(notify: QueueRecipient['notify']): QueueRecipient['notify'] {
  const rest = notify?.filter((word) => word !== 'SUCCESS');
  return rest?.length === 0 ? ['NEVER'] : rest;
}

/** Nobody gets a message twice because two addresses lead to the same. */
function withMore(item: QueueItem, added: readonly QueueRecipient[]): QueueItem {
  const recipients = [...item.recipients];
  for (const one of added) {
    const isThere = recipients.some(({ address, final, destination }) => address.toLowerCase() === one.address.toLowerCase() && (final === 'yes' || destination !== 'ours'));
    if (!isThere) recipients.push(one);
  }
  return recipients.length === item.recipients.length ? item : { ...item, recipients };
}

/** Until when an item is tried, whatever the number of tries. */
export function expiryOf(item: QueueItem, retry: RetryOptions): number {
  return item.acceptedAtMs + retry.expireAfterMs;
}

interface Situation {
  readonly item: QueueItem;
  readonly recipient: QueueRecipient;
  readonly retry: RetryOptions;
  readonly nowMs: number;
}

function step(situation: Situation, outcome: TryOutcome): Step {
  const { recipient } = situation;
  if (recipient.state.at === 'waiting' && recipient.state.why === 'amend') return amended(situation, outcome);
  if (outcome.at === 'delivered') return delivered(situation, outcome);
  if (outcome.at === 'expanded') return expanded(recipient, outcome.into.length);
  if (outcome.at === 'moved') return moved(situation, outcome);
  if (outcome.at === 'refused' && outcome.permanent === 'yes') return givenUp(recipient, outcome.words);
  return putOff(situation, outcome);
}

function expanded(recipient: QueueRecipient, people: number): Step {
  const words = { status: '2.1.5', text: `passed on to ${counted(people, 'address', 'addresses')}`, isReply: false, remote: undefined };
  const report = people > 1 ? ({ action: 'expanded', words } as const) : undefined;
  return { recipient: { ...recipient, state: { at: 'finished', told: undefined } }, report };
}

/** Nodes may send it to each other for ever, as where the directory names one that says it is the other's: its sender hears of that, too. */
function moved({ item, recipient, retry, nowMs }: Situation, { destination, dueAtMs }: TryOutcome & { at: 'moved' }): Step {
  const words = { status: '4.3.5', text: 'no server says that it keeps the mailbox', isReply: false, remote: undefined };
  if (nowMs >= expiryOf(item, retry)) return givenUp(recipient, { ...words, status: '5.4.7' });
  const tellsNow = nowMs - item.acceptedAtMs >= retry.delayNoticeAfterMs && !recipient.delayTold;
  return {
    recipient: { ...recipient, destination, delayTold: recipient.delayTold || tellsNow, state: { at: 'waiting', dueAtMs, why: 'new' } },
    report: tellsNow ? { action: 'delayed', words } : undefined,
  };
}

function delivered({ item, recipient, nowMs }: Situation, outcome: TryOutcome & { at: 'delivered' }): Step {
  // The client's session was lost while we handed over: the owner has to hear that, too.
  const isOutdated = outcome.told === 'open' && item.confirmation === 'loose';
  const state = isOutdated ? ({ at: 'waiting', dueAtMs: nowMs, why: 'amend' } as const) : ({ at: 'finished', told: outcome.told } as const);
  const report = outcome.report === 'none' ? undefined : { action: outcome.report, words: outcome.words };
  return { recipient: { ...recipient, state, lastWords: outcome.words.text }, report };
}

/** The message was delivered before, whatever comes now: nobody is to be told. An account that has moved has taken its delivery records along, so its new owner is to hear it; one that is gone needs no amendment. */
function amended({ item, recipient, retry, nowMs }: Situation, outcome: TryOutcome): Step {
  const follows = outcome.at === 'moved' && !isOutside(outcome.destination); // abroad it would be a second copy
  const waits = (outcome.at === 'outage' || follows) && nowMs < expiryOf(item, retry);
  const destination = outcome.at === 'moved' ? outcome.destination : recipient.destination;
  return { recipient: { ...recipient, destination, state: waits ? { at: 'waiting', dueAtMs: outcome.dueAtMs, why: 'amend' } : { at: 'finished', told: 'loose' } } };
}

function givenUp(recipient: QueueRecipient, words: Words): Step {
  return { recipient: { ...recipient, state: { at: 'finished', told: undefined }, lastWords: words.text }, report: { action: 'failed', words } };
}

function putOff({ item, recipient, retry, nowMs }: Situation, outcome: TryOutcome & { at: 'refused' | 'unreachable' | 'outage' }): Step {
  const { words } = outcome;
  const tries = outcome.at === 'outage' ? recipient.tries : recipient.tries + 1;
  if (tries > retry.maxRetries || nowMs >= expiryOf(item, retry)) return givenUp({ ...recipient, tries }, { ...words, status: '5.4.7' });
  const dueAtMs = outcome.at === 'outage' ? outcome.dueAtMs : nowMs + delayAfter(retry.refused, tries, retry.jitter);
  const isLate = outcome.at === 'outage' ? nowMs - item.acceptedAtMs >= retry.delayNoticeAfterMs : tries >= retry.delayNoticeAfterTries;
  const tellsNow = isLate && !recipient.delayTold;
  return {
    recipient: { ...recipient, tries, delayTold: recipient.delayTold || tellsNow, lastWords: words.text, state: { at: 'waiting', dueAtMs, why: outcome.at === 'refused' ? 'refused' : 'outage' } },
    report: tellsNow ? { action: 'delayed', words } : undefined,
  };
}

/** Who got the message must not get it once more, told or not; who did not waits until that can be reported. */
function untold({ recipient: before, retry, nowMs }: Situation, { recipient, report }: Required<Step>): QueueRecipient {
  if (report?.action === 'delayed') return { ...recipient, delayTold: false };
  if (report?.action !== 'failed') return recipient;
  return { ...before, lastWords: report.words.text, state: { at: 'waiting', dueAtMs: nowMs + delayAfter(retry.refused, 1, retry.jitter), why: 'refused' } };
}

/** RFC 3461 section 4.1; without NOTIFY a sender hears of failure and delay. */
function wants(recipient: QueueRecipient, action: ReportAction): boolean {
  const wish = { failed: 'FAILURE', delayed: 'DELAY', delivered: 'SUCCESS', relayed: 'SUCCESS', expanded: 'SUCCESS' }[action];
  return recipient.notify === undefined ? wish !== 'SUCCESS' : recipient.notify.includes(wish);
}

function reported(recipient: QueueRecipient, { words }: { readonly words: Words }): ReportedRecipient {
  return { address: recipient.address, orcpt: recipient.orcpt, status: words.status, remote: words.remote, words: words.text, isReply: words.isReply };
}
