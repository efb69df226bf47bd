/**
 * The ways out of the queue. A lane is one open way to one destination: into accounts of this node, over LMTP to the node
 * that owns the account, or over SMTP to the outside. Messages go through it one after the other.
 */
import { isFailure } from '../../shared/base/failure.ts';
import type { ConnectOptions } from '../../shared/net/connect.ts';
import { openSmtpClient } from '../../shared/smtp/client.ts';
import { standingParameter } from '../../shared/smtp/commands.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import { isTemporary, replyLine } from '../../shared/smtp/reply.ts';
import { SmtpChannel } from '../smtp-sending/smtp-sending.ts';
import type { DeliveryChannel, RecipientOutcome, SendingTarget, SmtpSending } from '../smtp-sending/smtp-sending.ts';
import type { LookedAtItem, QueueItem, QueueRecipient } from './queue-item.ts';
import type { TryOutcome, Words } from './try-outcome.ts';

/** Not for concurrent use. */
export interface Lane {
  /** False when another must be opened for the next message. */
  readonly usable: boolean;
  /** One outcome for each recipient, in their order. */
  deliver(item: LookedAtItem, recipients: readonly QueueRecipient[]): Promise<readonly TryOutcome[]>;
  close(): Promise<void>;
}

export interface LaneOptions {
  readonly nodeName: string;
  readonly hostName: string;
  readonly sending: SmtpSending;
  /** How to reach another node's LMTP listener; undefined: no such node is configured. */
  readonly lmtpOf: (node: string) => ConnectOptions | undefined;
  /** How long an owner of the cluster may take after the final dot. */
  readonly handOverTimeoutMs: number;
  /** The item's bytes, without our trace fields. */
  readonly bytesOf: (item: QueueItem) => AsyncIterable<Buffer>;
  /** The node must stop: lines to peers are cut, and what waits for them ends soon. */
  readonly signal: AbortSignal;
  /** When to try again what an outage held up. */
  readonly outageDueAtMs: () => number;
  /** When to try again what waits for the end of an account's move. */
  readonly movedDueAtMs: () => number;
  /** When an item is tried again whose mailbox is in use. */
  readonly heldDueAtMs: (item: QueueItem) => number;
}

/** A lane to another node. Rejects with a temporary Failure when it can't be reached. */
export async function openNodeLane(node: string, target: ConnectOptions, options: LaneOptions): Promise<Lane> {
  const timeouts = { finalMs: options.handOverTimeoutMs, greetingMs: target.timeoutMs, commandMs: target.timeoutMs };
  const client = await openSmtpClient(target, { protocol: 'lmtp', timeouts, signal: options.signal });
  try {
    await client.hello(options.hostName);
  } catch (thrown) {
    client.destroy();
    throw thrown;
  }
  const channel = new SmtpChannel(client, { peer: node, protocol: 'lmtp' });
  return new ChannelLane(channel, options, { read: (item, outcome) => handedOver(item, outcome, { node, options }), reports: 'ours' });
}

/** A lane to servers outside, or to a mail host of another kind: `domain:NAME` or `host:HOST[:PORT]`. Rejects as `SmtpSending.open`. */
export async function openOutsideLane(destination: string, options: LaneOptions): Promise<Lane> {
  const channel = await options.sending.open(targetOf(destination), options.signal);
  return new ChannelLane(channel, options, { read: (_, outcome) => sentOut(outcome, channel.peer), reports: 'passed-on' });
}

function targetOf(destination: string): SendingTarget {
  if (destination.startsWith('domain:')) return { domain: destination.slice('domain:'.length) };
  const match = /^host:(.+?)(?::(\d+))?$/u.exec(destination);
  return { host: match?.[1] ?? '', port: match?.[2] === undefined ? undefined : Number(match[2]) };
}

interface LaneManner {
  readonly read: (item: QueueItem, outcome: RecipientOutcome) => TryOutcome;
  /** `ours`: DSN wishes are not passed on; the owner answers at once, and we report. */
  readonly reports: 'ours' | 'passed-on';
}

class ChannelLane implements Lane {
  readonly #channel: DeliveryChannel;
  readonly #options: LaneOptions;
  readonly #manner: LaneManner;

  constructor(channel: DeliveryChannel, options: LaneOptions, manner: LaneManner) {
    this.#channel = channel;
    this.#options = options;
    this.#manner = manner;
  }

  get usable(): boolean {
    return this.#channel.usable;
  }

  async deliver(item: LookedAtItem, recipients: readonly QueueRecipient[]): Promise<readonly TryOutcome[]> {
    const trace = Buffer.from(item.trace);
    const { bytesOf } = this.#options;
    const bytes = async function* (): AsyncGenerator<Buffer, void, void> {
      yield trace;
      yield* bytesOf(item);
    };
    const sender = senderOf(item, { nodeName: this.#options.nodeName, traceBytes: trace.length });
    const outcomes = await this.#channel.send({ sender, bytes }, recipients.map((one) => (this.#manner.reports === 'ours' ? { address: one.address } : envelopeOf(one))));
    return outcomes.map((outcome) => this.#manner.read(item, outcome));
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }
}

/** XWAYBILL parameters go to nodes of ours only: others don't announce them. See delivery-keys.ts for what they are for. */
function senderOf(item: LookedAtItem, { nodeName, traceBytes }: { readonly nodeName: string; readonly traceBytes: number }): EnvelopeSender {
  const { address, ret, envid, smtpUtf8, eightBit } = item.sender;
  const extra = new Map<string, string | true>([
    ['XWAYBILL-QUEUE', `${nodeName}-${item.id}`], ['XWAYBILL-DIGEST', item.digest], ['XWAYBILL-ACCEPTED', String(item.acceptedAtMs)],
  ]);
  if (item.standingAtMs !== undefined) extra.set(standingParameter, String(item.standingAtMs));
  if (item.confirmation === 'loose') extra.set('XWAYBILL-UNCONFIRMED', true);
  return { address, size: traceBytes + item.place.length, body: eightBit ? '8BITMIME' : undefined, smtpUtf8, ret, envid, extra };
}

function envelopeOf({ address, notify, orcpt }: QueueRecipient): EnvelopeRecipient {
  return { address, notify, orcpt };
}

function handedOver(item: QueueItem, outcome: RecipientOutcome, { node, options }: { readonly node: string; readonly options: LaneOptions }): TryOutcome {
  const dueAtMs = options.outageDueAtMs();
  if (outcome.at === 'broken') return { at: 'outage', dueAtMs, words: ownWords('4.4.2', outcome.reason, node) };
  const words = replyWordsOf(outcome.reply, node);
  if (outcome.at === 'delivered') return { at: 'delivered', told: item.confirmation, report: 'delivered', words };
  if (outcome.reply.code === 450 && outcome.reply.enhanced === '4.2.0') return { at: 'outage', dueAtMs: options.heldDueAtMs(item), words };
  const referral = /<?referral ([^\s>]+)>?/u.exec(outcome.reply.lines[0] ?? '')?.[1];
  if (outcome.reply.enhanced === '4.3.5') return { at: 'moved', destination: destinationAfter(referral, options), dueAtMs: referral === undefined ? dueAtMs : options.movedDueAtMs() };
  // 4.3.x and 4.4.x: something of that node is out of order; any other refusal is about the recipient.
  if (isTemporary(outcome.reply) && /^4\.[34]\./u.test(outcome.reply.enhanced ?? '4.3.0')) return { at: 'outage', dueAtMs, words };
  return { at: 'refused', permanent: isTemporary(outcome.reply) ? 'no' : 'yes', words };
}

/** Only configured nodes are followed; otherwise the user map is asked afresh. */
function destinationAfter(referral: string | undefined, options: LaneOptions): string {
  const isKnown = referral !== undefined && referral !== options.nodeName && options.lmtpOf(referral) !== undefined;
  return isKnown ? `node:${referral}` : 'ours';
}

function sentOut(outcome: RecipientOutcome, peer: string): TryOutcome {
  if (outcome.at === 'broken') return { at: 'unreachable', words: ownWords('4.4.2', outcome.reason, peer) };
  const words = replyWordsOf(outcome.reply, peer);
  if (outcome.at === 'delivered') return { at: 'delivered', told: undefined, report: outcome.reports === 'ours' ? 'relayed' : 'none', words };
  return { at: 'refused', permanent: isTemporary(outcome.reply) ? 'no' : 'yes', words };
}

function replyWordsOf(reply: Reply, remote: string | undefined): Words {
  const status = reply.enhanced ?? `${String(reply.code).slice(0, 1)}.0.0`;
  return { status, text: replyLine(reply), isReply: true, remote };
}

/** Words of ours about a failure. */
export function ownWords(status: string, text: string, remote?: string): Words {
  return { status, text, isReply: false, remote };
}

/** Words about something thrown while a lane was opened or used. */
export function wordsOfThrown(thrown: unknown): Words {
  if (isFailure(thrown)) return ownWords('4.4.1', causeText(thrown));
  return ownWords('4.3.0', 'internal error');
}

function causeText(thrown: Error): string {
  return thrown.cause instanceof Error ? `${thrown.message} (${thrown.cause.message})` : thrown.message;
}

/** A lane that only says where else the mail is to go. */
export function redirectLane(outcome: () => TryOutcome): Lane {
  return {
    usable: true,
    deliver: async (_, recipients) => Promise.resolve(recipients.map(outcome)),
    close: async () => Promise.resolve(),
  };
}
