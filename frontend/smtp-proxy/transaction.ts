/**
 * One incoming message: its recipients are asked at their owners as they come, then the message streams to one back-end
 * only — the owner of a single recipient, otherwise a custodian, which takes it for all and hands on what is not its own.
 *
 *   RCPT → map → owner's leg: MAIL, RCPT ──its reply──→ client      (owner down: taken, for the custodian)
 *   DATA → one recipient, owner alive ──→ owner
 *          else RSET on an owner's leg (or any healthy back-end), MAIL … XWAYBILL-CUSTODIAN, all RCPT ──→ custodian
 */
import { requireUse } from '../../shared/access/account-use.ts';
import type { UseTerms } from '../../shared/access/account-use.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { formatAddress, parseAddress } from '../../shared/smtp/address.ts';
import type { SmtpClient } from '../../shared/smtp/client.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import { isPositive, isTemporary, makeReply, replyLine } from '../../shared/smtp/reply.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import { expansionRefused } from '../../shared/user-map/expansion-refusal.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';
import { inOrderFor } from './custodians.ts';
import { senderForBackend, speaksWaybill } from './leg.ts';
import type { Legs, LegTarget } from './leg.ts';
import { OnceStarted } from './once-started.ts';
import type { SessionLegs } from './session-legs.ts';
import { traced } from './foreign-trace.ts';
import { isBeingMoved, referralOf } from './referral.ts';

export interface TransactionRoad {
  readonly mapping: Mapping;
  readonly legs: Legs;
  /** The trusted LMTP listener that a route leads to; undefined when it leads to no server we can talk to. */
  readonly lmtpOf: (route: Route) => LegTarget | undefined;
  /** LMTP listeners of the configured back-ends, in the order in which they are asked to be custodian. */
  readonly custodians: () => readonly LegTarget[];
  /** What the domain of an address lets its accounts be used for; everything when absent. */
  readonly domainTerms?: ((address: string) => UseTerms) | undefined;
  /** This front-end, in trace fields. */
  readonly hostName: string;
  readonly log: Logger;
}

/** A leg in its own transaction with the owner of some recipients. */
interface OwnerLeg {
  readonly target: LegTarget;
  readonly client: SmtpClient;
}

interface Accepted {
  /** As the client gave it. */
  readonly recipient: EnvelopeRecipient;
  /** The node that keeps the mailbox, if it is one of ours. */
  readonly node: string | undefined;
  /** Undefined: the owner is down, or there are several: a custodian finds out who. */
  readonly leg: OwnerLeg | undefined;
}

/** One client session. */
export interface ClientSession {
  readonly peer: SmtpPeer;
  readonly legs: SessionLegs;
}

export class IncomingTransaction {
  readonly #road: TransactionRoad;
  readonly #peer: SmtpPeer;
  readonly #kept: SessionLegs;
  readonly #sender: EnvelopeSender;
  readonly #legs = new Map<string, OwnerLeg>();
  readonly #accepted = new Map<string, Accepted>();

  constructor(road: TransactionRoad, session: ClientSession, sender: EnvelopeSender) {
    this.#road = road;
    this.#peer = session.peer;
    this.#kept = session.legs;
    this.#sender = sender;
  }

  /** Takes one recipient or throws why not: a Failure, or the owner's refusal. */
  async recipient(recipient: EnvelopeRecipient): Promise<void> {
    const key = recipient.address.toLowerCase();
    if (this.#accepted.has(key)) return;
    const address = parseAddress(recipient.address);
    if (address === undefined) throw new SmtpRefused('rcpt', makeReply(501, '5.1.3', 'malformed address'));
    try {
      this.#accepted.set(key, await this.#askedFor(formatAddress(address), recipient));
    } catch (thrown) {
      const reason = thrown instanceof SmtpRefused ? replyLine(thrown.reply) : String(thrown);
      this.#road.log.info({ session: this.#peer.sessionId, client: this.#peer.address, from: this.#sender.address, to: recipient.address, reason }, 'recipient refused');
      throw thrown;
    }
  }

  /** Streams the message to one back-end; the reply for the client, 250 only when a back-end keeps it for every recipient. */
  async message(bytes: AsyncIterable<Buffer>): Promise<Reply> {
    const source = new OnceStarted(bytes);
    const owner = this.#soleOwner();
    // A back-end's queue makes 7-bit messages for servers that take no others; a gateway without back-ends has none.
    const used = owner !== undefined && takesEightBits(owner.client) ? owner : (await this.#custodian()) ?? owner;
    if (used === undefined) throw new Failure('backend-unavailable', 'no back-end can take the message');
    try {
      const reply = combined(await used.client.data(this.#bytesFor(used, source)));
      this.#settle(used, reply);
      return reply;
    } catch (thrown) {
      used.client.destroy();
      this.#road.log.warn({ err: thrown, session: this.#peer.sessionId, node: used.target.node, stage: used.client.stage }, 'message not taken');
      this.#noteLoss(used, thrown);
      if (used !== owner || source.started || thrown instanceof SmtpRefused) throw thrown;
      // The owner went away before a single byte: the message can still go to another.
      return this.message(source);
    }
  }

  /** Our nodes write the trace themselves. */
  #bytesFor({ target, client }: OwnerLeg, source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    if (target.foreign === undefined) return source;
    const header = this.#sender.smtpUtf8 === true && !client.extensions.has('SMTPUTF8') ? 'ascii' : 'any';
    return traced(source, { by: this.#road.hostName, peer: this.#peer, sender: this.#sender, timeMs: Date.now(), header, body: takesEightBits(client) ? 'any' : 'ascii' });
  }

  /** The client is known to have had our reply: the back-end may forget what it kept for a retry. */
  confirm(): void {
    for (const { target, client } of this.#legs.values()) this.#kept.release(target.node, client);
  }

  finish(): void {
    for (const { client } of this.#legs.values()) void client.quit();
  }

  abandon(): void {
    for (const { client } of this.#legs.values()) client.destroy();
  }

  /** With the leg to the one owner, unless it is down, or the address stands for others, which a custodian sees to. */
  async #askedFor(address: string, recipient: EnvelopeRecipient): Promise<Accepted> {
    const { mapping } = this.#road;
    const answer = await mapping.lookUp(address);
    const entry = answer.kind === 'found' || answer.kind === 'mailOnly' ? answer.entry : undefined;
    requireUse('smtp', [this.#road.domainTerms?.(entry?.address ?? address) ?? {}, entry?.terms ?? {}]);
    const expansion = entry === undefined ? undefined : await mapping.expand(entry);
    if (expansion?.kind === 'unusable') throw expansionRefused(expansion.problem);
    return expansion?.kind === 'addresses' ? { recipient, node: undefined, leg: undefined } : this.#askOwner(address, recipient);
  }

  /** Asks the owner, following one referral. */
  async #askOwner(address: string, recipient: EnvelopeRecipient): Promise<Accepted> {
    const { mapping } = this.#road;
    const first = await this.#routeOf(address, 'cached');
    try {
      return await this.#askAt(first, recipient);
    } catch (thrown) {
      const referral = referralOf(thrown);
      if (referral === undefined) throw thrown;
      mapping.forget(address);
      const named: Route | undefined = referral.node === undefined ? undefined : { kind: 'node', node: referral.node };
      const route = named !== undefined && this.#road.lmtpOf(named) !== undefined ? named : await this.#routeOf(address, 'fresh');
      return await this.#askAt(route, recipient);
    }
  }

  async #routeOf(address: string, age: 'cached' | 'fresh'): Promise<Route> {
    const answer = await this.#road.mapping.lookUp(address, age === 'fresh' ? { fresh: 'yes' } : {});
    if (answer.kind === 'unknown' || answer.kind === 'mailOnly') throw new Failure('unknown-user', 'no such user');
    if (answer.kind === 'foreign') throw new Failure('foreign-domain', 'relaying denied');
    return answer.route;
  }

  async #askAt(route: Route, recipient: EnvelopeRecipient): Promise<Accepted> {
    const node = route.kind === 'node' ? route.node : undefined;
    const leg = await this.#legTo(route);
    const reply = leg === undefined ? undefined : await this.#answer(leg, leg.client.rcpt(recipient));
    const isMoving = reply !== undefined && node !== undefined && isBeingMoved(reply);
    if (reply !== undefined && !isPositive(reply) && !isMoving) throw new SmtpRefused('rcpt', reply);
    return { recipient, node, leg: reply === undefined || isMoving ? undefined : leg };
  }

  /** The owner's reply, or undefined when it is lost or on its way down (421): then its mail goes to a custodian. */
  async #answer(leg: OwnerLeg, waiting: Promise<Reply>): Promise<Reply | undefined> {
    try {
      const reply = await waiting;
      if (reply.code !== 421) return reply;
      leg.client.destroy();
    } catch (thrown) {
      // Our own client refuses to say what the server can't be told (RFC 6531 section 3.5).
      if (isFailure(thrown, 'bad-input') && leg.client.alive) throw new SmtpRefused('rcpt', makeReply(553, '5.6.7', 'the mailbox\'s server does not take internationalised addresses'));
      this.#road.log.warn({ err: thrown, session: this.#peer.sessionId, node: leg.target.node, stage: leg.client.stage }, 'owner lost');
      leg.client.destroy();
      this.#noteLoss(leg, thrown);
    }
    return undefined;
  }

  /** What one client sent, its hanging up, and a refusal must not make a node look down to others. */
  #noteLoss(leg: OwnerLeg, thrown: unknown): void {
    if (!this.#kept.over && !isFailure(thrown, 'bad-input') && !(thrown instanceof SmtpRefused)) this.#road.legs.markDown(leg.target.node);
  }

  /** The leg to the owner, in a transaction with our sender. Undefined when the owner is down; throws when it refuses MAIL. */
  async #legTo(route: Route): Promise<OwnerLeg | undefined> {
    const target = this.#road.lmtpOf(route);
    if (target === undefined) return undefined;
    const known = this.#legs.get(target.node);
    if (known !== undefined) return known.client.alive ? known : undefined;
    const client = await this.#kept.open(target, { protocol: 'lmtp' });
    if (client === undefined) return undefined;
    const leg = { target, client };
    this.#legs.set(target.node, leg);
    try {
      const reply = await this.#answer(leg, client.mail(senderForBackend(this.#sender, this.#peer, 'owner')));
      if (reply === undefined) return undefined;
      if (isPositive(reply)) return leg;
      throw new SmtpRefused('mail', reply);
    } catch (thrown) {
      this.#legs.delete(target.node);
      this.#kept.release(target.node, client);
      throw thrown;
    }
  }

  /**
   * The leg to stream to without custody: the living owner of the only recipient. A server that is not of our kind can
   * be no custodian, so it gets directly whatever is all its own.
   */
  #soleOwner(): OwnerLeg | undefined {
    const all = [...this.#accepted.values()];
    const leg = all[0]?.leg;
    if (leg === undefined || !leg.client.alive || all.some((one) => one.leg !== leg)) return undefined;
    return all.length === 1 || !speaksWaybill(leg.client) ? leg : undefined;
  }

  /** A back-end that has agreed to take the message for all recipients: an owner if possible, else any that lives. */
  async #custodian(): Promise<OwnerLeg | undefined> {
    for (const leg of this.#legs.values()) {
      if (leg.client.alive && speaksWaybill(leg.client) && (await this.#agreesToCustody(leg, 'used'))) return leg;
    }
    const [first] = this.#accepted.keys();
    for (const target of inOrderFor(first ?? '', this.#road.custodians())) {
      if (this.#legs.has(target.node)) continue;
      const client = await this.#kept.open(target, { protocol: 'lmtp' });
      if (client === undefined) continue;
      const leg = { target, client };
      this.#legs.set(target.node, leg);
      if (speaksWaybill(client) && (await this.#agreesToCustody(leg, 'fresh'))) return leg;
    }
    return undefined;
  }

  async #agreesToCustody(leg: OwnerLeg, age: 'used' | 'fresh'): Promise<boolean> {
    try {
      if (age === 'used') await leg.client.reset();
      const recipients = [...this.#accepted.values()].map(({ recipient, node }) => ({ ...recipient, node }));
      const replies = await leg.client.envelope(senderForBackend(this.#sender, this.#peer, 'custodian'), recipients);
      const refusal = [replies.sender, ...replies.recipients].find((reply) => !isPositive(reply));
      if (refusal === undefined) return true;
      this.#road.log.warn({ session: this.#peer.sessionId, node: leg.target.node, reply: replyLine(refusal) }, 'back-end does not take custody');
      leg.client.destroy();
    } catch (thrown) {
      this.#road.log.warn({ err: thrown, session: this.#peer.sessionId, node: leg.target.node }, 'back-end lost while asking for custody');
      leg.client.destroy();
      this.#noteLoss(leg, thrown);
    }
    return false;
  }

  /** A refused message leaves nothing to confirm. A leg cut without a word lets the back-end know the retry. */
  #settle(used: OwnerLeg, reply: Reply): void {
    if (!isPositive(reply)) used.client.destroy();
    this.#road.log.info({
      session: this.#peer.sessionId, client: this.#peer.address, from: this.#sender.address, node: used.target.node,
      recipients: this.#accepted.size, reply: replyLine(reply),
    }, 'message answered');
  }
}

/**
 * One SMTP reply for the replies of all recipients. Where they differ the client must come again, for nothing that was
 * acknowledged may be lost: the back-end knows by its delivery key who has the message already.
 */
function combined(replies: readonly Reply[]): Reply {
  const refusals = replies.filter((reply) => !isPositive(reply));
  const [first] = replies;
  if (first === undefined) throw new Failure('backend-unavailable', 'no reply to the message');
  if (refusals.length === 0) return first;
  if (refusals.length < replies.length) return makeReply(451, '4.3.0', 'not yet delivered to every recipient, try again later');
  return refusals.find(isTemporary) ?? first;
}

function takesEightBits(client: SmtpClient): boolean {
  return client.extensions.has('8BITMIME');
}
