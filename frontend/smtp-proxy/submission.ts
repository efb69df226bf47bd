/**
 * One outgoing message of an authenticated user: the conversation goes, step by step, to the trusted submission listener
 * of the user's own back-end, whose replies are the client's.
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
import { senderForBackend } from './leg.ts';
import type { Legs } from './leg.ts';
import { referralOf } from './referral.ts';

export interface SubmissionRoad {
  readonly mapping: Mapping;
  readonly legs: Legs;
  /** The trusted submission listener that a route leads to; undefined when it leads to no server we can talk to. */
  readonly submissionOf: (route: Route) => BackendTarget | undefined;
  readonly log: Logger;
}

/** Who sends: canonical address, and where the mailbox is as far as known. */
export interface Submitter {
  readonly address: string;
  readonly route: Route;
}

export class Submission {
  readonly #road: SubmissionRoad;
  readonly #peer: SmtpPeer;
  readonly #submitter: Submitter;
  #leg: SmtpClient | undefined;
  #sender = '';

  constructor(road: SubmissionRoad, peer: SmtpPeer, submitter: Submitter) {
    this.#road = road;
    this.#peer = peer;
    this.#submitter = submitter;
  }

  /** MAIL: checks that the address is the user's own, opens the leg, follows one referral. */
  async begin(sender: EnvelopeSender): Promise<void> {
    await this.#checkSender(sender.address);
    this.#sender = sender.address;
    const { mapping } = this.#road;
    try {
      await this.#mailAt(this.#submitter.route, sender);
    } catch (thrown) {
      const referral = referralOf(thrown);
      if (referral === undefined) throw thrown;
      mapping.forget(this.#submitter.address);
      const named: Route | undefined = referral.node === undefined ? undefined : { kind: 'node', node: referral.node };
      await this.#mailAt(named !== undefined && this.#road.submissionOf(named) !== undefined ? named : await this.#freshRoute(), sender);
    }
  }

  async recipient(recipient: EnvelopeRecipient): Promise<void> {
    if (parseAddress(recipient.address) === undefined) throw new SmtpRefused('rcpt', makeReply(501, '5.1.3', 'malformed address'));
    const reply = await this.#living(async (leg) => leg.rcpt(recipient));
    if (!isPositive(reply)) throw new SmtpRefused('rcpt', reply);
  }

  async message(bytes: AsyncIterable<Buffer>): Promise<Reply> {
    const [reply] = await this.#living(async (leg) => leg.data(bytes));
    if (reply === undefined) throw new Failure('backend-unavailable', 'no reply to the message');
    this.#road.log.info({ session: this.#peer.sessionId, client: this.#peer.address, user: this.#submitter.address, from: this.#sender, reply: replyLine(reply) }, 'submission answered');
    // A refused message leaves nothing to confirm; a leg cut without QUIT lets the back-end know the retry.
    if (!isPositive(reply)) this.#leg?.destroy();
    return reply;
  }

  /** The client is known to have had our reply. */
  confirm(): void {
    void this.#leg?.quit();
  }

  /** The client is gone without a word. */
  abandon(): void {
    this.#leg?.destroy();
  }

  /**
   * Only the user's own address, or one that the directory says is this user's. The null path is allowed: notices of
   * reading are sent so (RFC 8098 section 3).
   */
  async #checkSender(sender: string): Promise<void> {
    if (sender === '') return;
    const parsed = parseAddress(sender);
    if (parsed === undefined) throw new SmtpRefused('mail', makeReply(501, '5.1.7', 'malformed address'));
    const address = formatAddress(parsed);
    if (address.toLowerCase() === this.#submitter.address.toLowerCase()) return;
    const answer = await this.#road.mapping.lookUp(address, {});
    if (answer.kind !== 'found' || answer.address.toLowerCase() !== this.#submitter.address.toLowerCase()) {
      throw new Failure('forbidden', 'not your address');
    }
  }

  async #freshRoute(): Promise<Route> {
    const answer = await this.#road.mapping.lookUp(this.#submitter.address, { fresh: 'yes' });
    if (answer.kind !== 'found') throw new Failure('backend-unavailable', 'the account has no place at the moment');
    return answer.route;
  }

  async #mailAt(route: Route, sender: EnvelopeSender): Promise<void> {
    const target = this.#road.submissionOf(route);
    const leg = target === undefined ? undefined : await this.#road.legs.open(target, this.#peer, { protocol: 'smtp', login: this.#submitter.address });
    if (leg === undefined) throw new Failure('backend-unavailable', 'the mail server of the account is down');
    this.#leg = leg;
    const reply = await this.#living(async () => leg.mail(senderForBackend(sender, this.#peer, 'owner')));
    if (isPositive(reply)) return;
    await leg.quit();
    throw new SmtpRefused('mail', reply);
  }

  /** Silence and nonsense of a back-end are its trouble, never the client's. */
  async #living<T>(work: (leg: SmtpClient) => Promise<T>): Promise<T> {
    const leg = this.#leg;
    if (leg === undefined) throw new Failure('backend-unavailable', 'no connection to the back-end');
    try {
      return await work(leg);
    } catch (thrown) {
      if (thrown instanceof SmtpRefused) throw thrown;
      leg.destroy();
      this.#road.log.warn({ err: thrown, session: this.#peer.sessionId, stage: leg.stage }, 'submission leg failed');
      throw isFailure(thrown, 'timed-out') ? new Failure('backend-unavailable', 'the back-end is too slow', { cause: thrown }) : thrown;
    }
  }
}
