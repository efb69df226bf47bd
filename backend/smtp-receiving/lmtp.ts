/**
 * The conversation on the trusted LMTP listener (RFC 2033): front-ends bring mail of the world, for accounts here or as
 * custodian; other back-ends hand over what their queues hold for accounts here.
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { parseAddress } from '../../shared/smtp/address.ts';
import { nodeParameter, standingParameter } from '../../shared/smtp/commands.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import type { SmtpHandlers, SmtpPeer } from '../../shared/smtp/server-session.ts';
import { transmissionType } from '../../shared/smtp/transmission-type.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import { placesOf } from '../processing/processing.ts';
import type { ArrivingMessage } from '../processing/processing.ts';
import type { Account, MessageBytes } from '../storage/storage.ts';
import { Confirmations } from './confirmations.ts';
import { checkReversePath, checkRoom, guardLoop, journeyOf, trustedNode } from './checks.ts';
import { peekHeader } from './header-peek.ts';
import { replyTo } from './replies.ts';
import type { SmtpReceivingOptions } from './smtp-receiving.ts';
import { receivedField } from './trace-fields.ts';

/** MAIL and RCPT parameters between nodes of ours; see docs/decisions/accepting-mail.md, "Delivery keys". */
export const nodeParameters = [nodeParameter, 'XWAYBILL-SESSION', 'XWAYBILL-CUSTODIAN', 'XWAYBILL-QUEUE', 'XWAYBILL-DIGEST', 'XWAYBILL-ACCEPTED', 'XWAYBILL-UNCONFIRMED', standingParameter] as const;

interface Transaction {
  readonly sender: EnvelopeSender;
  /** `custodian`: all recipients are taken, wherever they live. */
  readonly role: 'owner' | 'custodian';
  readonly accounts: Map<string, Account>;
  /** Recipients that are mailing groups of this node: the queue finds their members. */
  readonly groups: Set<string>;
  readonly handedOver: ArrivingMessage['handedOver'];
}

/** A custodian's trace fields come on top of the greatest message that clients may send. */
export const traceAllowanceBytes = 64 * 1024;

export interface LmtpSession {
  readonly peer: SmtpPeer;
  readonly node: NodeIdentity;
  readonly confirmations: Confirmations;
  transaction: Transaction | undefined;
}

export function lmtpHandlers(options: SmtpReceivingOptions): SmtpHandlers<LmtpSession> {
  return {
    open: (peer) => ({ peer, node: trustedNode(options, peer, ['frontend', 'backend']), confirmations: new Confirmations(), transaction: undefined }),
    mail: async (session, sender) => {
      session.confirmations.confirm();
      checkReversePath(sender.address);
      const role = sender.extra?.has('XWAYBILL-CUSTODIAN') === true ? 'custodian' : 'owner';
      if (role === 'custodian') await options.processing.checkSpace();
      session.transaction = { sender, role, accounts: new Map(), groups: new Set(), handedOver: handOver(session, sender) };
    },
    reset: (session) => {
      session.confirmations.confirm();
      session.transaction = undefined;
    },
    recipient: async (session, recipient) => {
      if (parseAddress(recipient.address) === undefined) throw new Failure('bad-input', 'malformed address');
      const transaction = ongoing(session);
      if (transaction.role === 'custodian') return;
      const account = await accountOrGroup(options, recipient.address);
      if (account === 'group') return void transaction.groups.add(recipient.address);
      // A repeated hand-over may be of the very message that filled the mailbox: delivery itself will tell.
      if (transaction.handedOver === undefined) checkRoom(account, transaction.sender.size);
      transaction.accounts.set(recipient.address, account);
    },
    message: async (session, bytes, recipients) => {
      const transaction = ongoing(session);
      session.transaction = undefined;
      // What another back-end has accepted is not refused: its own fields must not make a loop of it either.
      const isNew = transaction.handedOver === undefined;
      return peekHeader(bytes, isNew ? options.maxHeaderBytes : Infinity, (facts, whole) => {
        if (isNew) guardLoop(options, facts);
        return take(options, session, { transaction, bytes: whole, recipients });
      });
    },
    close: (session, how) => session.confirmations.end(how),
  };
}

/** A mailing group that no directory has lives at a back-end as accounts do. Throws what the node is to hear. */
async function accountOrGroup({ accounts }: SmtpReceivingOptions, address: string): Promise<Account | 'group'> {
  try {
    return await accounts.open(address, 'smtp');
  } catch (thrown) {
    if (!isFailure(thrown, 'unknown-user') || (await accounts.expand(address)).kind !== 'addresses') throw thrown;
    return 'group';
  }
}

interface Taken {
  readonly transaction: Transaction;
  readonly bytes: MessageBytes;
  readonly recipients: readonly EnvelopeRecipient[];
}

/** Reports of success are the queue's business, so what asks for one goes that way. */
async function take(options: SmtpReceivingOptions, session: LmtpSession, { transaction, bytes, recipients }: Taken): Promise<Reply | readonly Reply[]> {
  const { sender, role, accounts, groups, handedOver } = transaction;
  const message = { sender, bytes, maxBytes: options.limits.maxMessageBytes + traceAllowanceBytes, trace: trace(options, session, { sender, recipients }), handedOver };
  const isQueued = role === 'custodian' || groups.size > 0 || (handedOver === undefined && recipients.some(({ notify }) => notify?.includes('SUCCESS')));
  return isQueued ? queue(options, session, { message, recipients }) : deliver(options, session, { message, recipients, accounts });
}

interface Arrival {
  readonly message: ArrivingMessage;
  readonly recipients: readonly EnvelopeRecipient[];
}

async function queue(options: SmtpReceivingOptions, session: LmtpSession, { message, recipients }: Arrival): Promise<Reply> {
  const { id, settle } = await options.processing.enqueue(message, recipients);
  session.confirmations.add(settle);
  options.log.info({ ...journeyOf(message.sender, session.peer), client: session.peer.address, from: session.node.node, sender: message.sender.address, recipients: recipients.length, item: id }, 'message queued');
  return makeReply(250, '2.6.0', `queued, reference ${session.peer.sessionId}`);
}

async function deliver(options: SmtpReceivingOptions, session: LmtpSession, arrival: Arrival & { readonly accounts: ReadonlyMap<string, Account> }): Promise<readonly Reply[]> {
  const accounts = arrival.recipients.map(({ address }) => {
    const account = arrival.accounts.get(address);
    if (account === undefined) throw new Error('a recipient without an account');
    return account;
  });
  const { outcomes, settle } = await options.processing.deliver(arrival.message, accounts);
  session.confirmations.add(settle);
  const stored = placesOf(outcomes, accounts);
  options.log.info({ ...journeyOf(arrival.message.sender, session.peer), client: session.peer.address, from: session.node.node, sender: arrival.message.sender.address, stored, handedOver: arrival.message.handedOver?.id }, 'message delivered');
  return outcomes.map((outcome) => (outcome.at === 'stored'
    ? makeReply(250, '2.1.5', `delivered, reference ${session.peer.sessionId}`)
    : replyTo(outcome.thrown, { sessionId: session.peer.sessionId, log: options.log })));
}

function ongoing(session: LmtpSession): Transaction {
  if (session.transaction === undefined) throw new Failure('bad-input', 'no transaction');
  return session.transaction;
}

/** Newest on top: this hop; below it, as the front-end adds no field, the hop from the client to it. */
function trace(options: SmtpReceivingOptions, { peer, node }: LmtpSession, { sender, recipients }: { readonly sender: EnvelopeSender; readonly recipients: readonly EnvelopeRecipient[] }): string {
  const nowMs = Date.now();
  const recipient = recipients.length === 1 ? recipients[0]?.address : undefined;
  const by = options.hostName;
  const here = receivedField({ hello: peer.hello ?? node.node, address: undefined, by, protocol: transmissionType(peer.protocol, sender), id: peer.sessionId, recipient }, nowMs);
  if (peer.forwarded === undefined) return here;
  const sessionId = sender.extra?.get('XWAYBILL-SESSION');
  const before = {
    hello: peer.forwarded.hello, address: peer.address, by: peer.hello ?? node.node, protocol: transmissionType(peer.forwarded.protocol ?? 'SMTP', sender),
    id: typeof sessionId === 'string' ? sessionId : peer.sessionId, recipient: undefined,
  };
  return here + receivedField(before, nowMs);
}

/** From another back-end's queue. Only a back-end can say so: the id decides whether a message is a repeat. */
function handOver({ node }: LmtpSession, { extra }: EnvelopeSender): ArrivingMessage['handedOver'] {
  const id = extra?.get('XWAYBILL-QUEUE');
  const digest = extra?.get('XWAYBILL-DIGEST');
  const acceptedAtMs = Number(extra?.get('XWAYBILL-ACCEPTED'));
  if (node.role !== 'backend' || typeof id !== 'string' || typeof digest !== 'string') return undefined;
  const standingAtMs = extra?.has(standingParameter) === true ? Number(extra.get(standingParameter)) : undefined;
  if (!id.startsWith(`${node.node}-`) || !/^[0-9a-f]{64}$/u.test(digest) || ![acceptedAtMs, standingAtMs ?? 0].every(Number.isSafeInteger)) throw new Failure('bad-input', 'malformed hand-over');
  if (extra?.has('XWAYBILL-UNCONFIRMED') === true) return { id, digest, acceptedAtMs, confirmation: 'loose' };
  return { id, digest, acceptedAtMs, confirmation: standingAtMs === undefined ? 'confirmed' : 'open', standingAtMs };
}
