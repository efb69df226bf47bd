/**
 * One outgoing message of an authenticated user: the conversation goes, step by step, to the trusted submission listener
 * of the user's own back-end, whose replies are the client's. While that one is down, also when it goes down between two
 * steps, another back-end takes the message as custodian: it queues it and sends it as the user's own would have done.
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { formatAddress, parseAddress } from '../../shared/smtp/address.ts';
import type { SmtpClient } from '../../shared/smtp/client.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import { isPositive, makeReply, replyLine } from '../../shared/smtp/reply.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import type { BackendTarget } from '../login/login.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';
import { inOrderFor } from './custodians.ts';
import { senderForBackend } from './leg.ts';
import type { Legs } from './leg.ts';
import { OnceStarted } from './once-started.ts';
import { referralOf } from './referral.ts';
import type { SessionLegs } from './session-legs.ts';

export interface SubmissionRoad {
  readonly mapping: Mapping;
  readonly legs: Legs;
  /** The trusted submission listener that a route leads to; undefined when it leads to no server we can talk to. */
  readonly submissionOf: (route: Route) => BackendTarget | undefined;
  /** Trusted submission listeners of all configured back-ends. */
  readonly custodians: () => readonly BackendTarget[];
  readonly log: Logger;
}

/** Who sends: canonical address, and where the mailbox is as far as known. */
export interface Submitter {
  readonly address: string;
  readonly route: Route;
}

interface SubmittingSession {
  readonly peer: SmtpPeer;
  readonly legs: SessionLegs;
  readonly submitter: Submitter;
}

interface SubmissionLeg {
  readonly node: string;
  readonly client: SmtpClient;
}

type Role = 'owner' | 'custodian';

export class Submission {
  readonly #road: SubmissionRoad;
  readonly #session: SubmittingSession;
  readonly #accepted: EnvelopeRecipient[] = [];
  /** Back-ends that failed in this transaction. */
  readonly #lost = new Set<string>();
  #sender: EnvelopeSender = { address: '' };
  #leg: SubmissionLeg | undefined;

  constructor(road: SubmissionRoad, session: SubmittingSession) {
    this.#road = road;
    this.#session = session;
  }

  /** MAIL: checks that the address is the user's own, opens the leg, follows one referral. */
  async begin(sender: EnvelopeSender): Promise<void> {
    await this.#checkSender(sender.address);
    this.#sender = sender;
    const { mapping } = this.#road;
    const { address, route } = this.#session.submitter;
    try {
      await this.#mailAtOwner(route);
    } catch (thrown) {
      const referral = referralOf(thrown);
      if (referral === undefined) throw thrown;
      mapping.forget(address);
      const named: Route | undefined = referral.node === undefined ? undefined : { kind: 'node', node: referral.node };
      await this.#mailAtOwner(named !== undefined && this.#road.submissionOf(named) !== undefined ? named : await this.#freshRoute());
    }
  }

  async recipient(recipient: EnvelopeRecipient): Promise<void> {
    if (parseAddress(recipient.address) === undefined) throw new SmtpRefused('rcpt', makeReply(501, '5.1.3', 'malformed address'));
    let reply = await this.#asked((leg) => leg.rcpt(recipient));
    if (reply === undefined) {
      await this.#moveToCustodian();
      reply = await this.#asked((leg) => leg.rcpt(recipient));
    }
    if (reply === undefined) throw new Failure('backend-unavailable', 'no back-end takes the message');
    if (!isPositive(reply)) throw new SmtpRefused('rcpt', reply);
    this.#accepted.push(recipient);
  }

  async message(bytes: AsyncIterable<Buffer>): Promise<Reply> {
    const source = new OnceStarted(bytes);
    if (this.#leg?.client.alive !== true) await this.#moveToCustodian();
    try {
      return await this.#send(source);
    } catch (thrown) {
      if (source.started || thrown instanceof SmtpRefused) throw thrown;
      await this.#moveToCustodian();
      return this.#send(source);
    }
  }

  /** The client is known to have had our reply. */
  confirm(): void {
    if (this.#leg !== undefined) this.#session.legs.release(this.#leg.node, this.#leg.client);
  }

  finish(): void {
    void this.#leg?.client.quit();
  }

  abandon(): void {
    this.#leg?.client.destroy();
  }

  async #send(source: AsyncIterable<Buffer>): Promise<Reply> {
    const leg = this.#leg;
    if (leg === undefined) throw new Failure('backend-unavailable', 'no connection to the back-end');
    try {
      const [reply] = await leg.client.data(source);
      if (reply === undefined) throw new Failure('backend-unavailable', 'no reply to the message');
      const { peer, submitter } = this.#session;
      this.#road.log.info({ session: peer.sessionId, client: peer.address, user: submitter.address, from: this.#sender.address, node: leg.node, reply: replyLine(reply) }, 'submission answered');
      // A refused message leaves nothing to confirm; a leg cut without QUIT lets the back-end know the retry.
      if (!isPositive(reply)) leg.client.destroy();
      return reply;
    } catch (thrown) {
      this.#lose(leg, thrown);
      throw isFailure(thrown, 'timed-out') ? new Failure('backend-unavailable', 'the back-end is too slow', { cause: thrown }) : thrown;
    }
  }

  /**
   * Only the user's own address, or one that the directory says is this user's. The null path is allowed: notices of
   * reading are sent so (RFC 8098 section 3).
   */
  async #checkSender(sender: string): Promise<void> {
    if (sender === '') return;
    const parsed = parseAddress(sender);
    if (parsed === undefined) throw new SmtpRefused('mail', makeReply(501, '5.1.7', 'malformed address'));
    const own = this.#session.submitter.address.toLowerCase();
    const address = formatAddress(parsed);
    if (address.toLowerCase() === own) return;
    const answer = await this.#road.mapping.lookUp(address, {});
    if (answer.kind !== 'found' || answer.address.toLowerCase() !== own) throw new Failure('forbidden', 'not your address');
  }

  async #freshRoute(): Promise<Route> {
    const answer = await this.#road.mapping.lookUp(this.#session.submitter.address, { fresh: 'yes' });
    if (answer.kind !== 'found') throw new Failure('backend-unavailable', 'the account has no place at the moment');
    return answer.route;
  }

  /** Throws what the owner says against it; a custodian takes its place when it says nothing. */
  async #mailAtOwner(route: Route): Promise<void> {
    const target = this.#road.submissionOf(route);
    const reply = target === undefined ? undefined : await this.#mailAt(target, 'owner');
    if (reply === undefined) await this.#moveToCustodian();
    else if (!isPositive(reply)) throw new SmtpRefused('mail', reply);
  }

  /** The reply to MAIL; the leg is ours when it is positive. Undefined: the back-end is down. */
  async #mailAt(target: BackendTarget, role: Role): Promise<Reply | undefined> {
    const { legs, peer, submitter } = this.#session;
    const client = await legs.open(target, { protocol: 'smtp', login: submitter.address });
    if (client === undefined) {
      this.#lost.add(target.node);
      return undefined;
    }
    this.#leg = { node: target.node, client };
    const reply = await this.#asked((leg) => leg.mail(senderForBackend(this.#sender, peer, role)));
    if (reply === undefined || isPositive(reply)) return reply;
    legs.release(target.node, client);
    this.#leg = undefined;
    return reply;
  }

  /** The reply on the leg; undefined when the back-end is lost, or on its way down (421). */
  async #asked(command: (leg: SmtpClient) => Promise<Reply>): Promise<Reply | undefined> {
    const leg = this.#leg;
    if (leg?.client.alive !== true) return undefined;
    try {
      const reply = await command(leg.client);
      if (reply.code !== 421) return reply;
      this.#lose(leg, new SmtpRefused(leg.client.stage, reply));
    } catch (thrown) {
      // What the leg can't be told is the client's mistake.
      if (isFailure(thrown, 'bad-input') && leg.client.alive) throw thrown;
      this.#lose(leg, thrown);
    }
    return undefined;
  }

  #lose(leg: SubmissionLeg, thrown: unknown): void {
    this.#road.log.warn({ err: thrown, session: this.#session.peer.sessionId, node: leg.node, stage: leg.client.stage }, 'submission leg failed');
    leg.client.destroy();
    this.#lost.add(leg.node);
    if (!this.#session.legs.over && !isFailure(thrown, 'bad-input') && !(thrown instanceof SmtpRefused)) this.#road.legs.markDown(leg.node);
  }

  /** Another back-end goes on from where the lost one was. Throws `backend-unavailable`, so that the client comes again, when there is none. */
  async #moveToCustodian(): Promise<void> {
    if (this.#leg !== undefined) this.#lost.add(this.#leg.node);
    for (const target of inOrderFor(this.#session.submitter.address, this.#road.custodians())) {
      if (this.#lost.has(target.node)) continue;
      const reply = await this.#mailAt(target, 'custodian');
      if (reply !== undefined && isPositive(reply) && (await this.#acceptsAgain())) return;
      this.#lost.add(target.node);
    }
    throw new Failure('backend-unavailable', 'the mail server of the account is down, and no other takes its mail');
  }

  async #acceptsAgain(): Promise<boolean> {
    for (const recipient of this.#accepted) {
      const reply = await this.#asked((leg) => leg.rcpt(recipient));
      if (reply !== undefined && isPositive(reply)) continue;
      this.#leg?.client.destroy();
      return false;
    }
    return true;
  }
}
