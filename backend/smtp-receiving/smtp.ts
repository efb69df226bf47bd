/**
 * The conversations of SMTP on a back-end: mail of the world that reaches it directly (`mx`), and mail of users
 * (`submission`), whom a front-end vouches for or who log in themselves. One recipient whose account is here gets the
 * message at once; anything else goes through the queue.
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { parseAddress } from '../../shared/smtp/address.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpClaim, SmtpHandlers, SmtpPeer } from '../../shared/smtp/server-session.ts';
import { startSasl } from '../../shared/sasl/mechanisms.ts';
import type { SmtpSaslExchange } from '../../shared/smtp/strict-connection.ts';
import { transmissionType } from '../../shared/smtp/transmission-type.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import { expansionRefused } from '../../shared/user-map/expansion-refusal.ts';
import type { Account } from '../storage/storage.ts';
import { placesOf } from '../processing/processing.ts';
import { checkReversePath, checkRoom, guardLoop, journeyOf, trustedNode } from './checks.ts';
import { Confirmations } from './confirmations.ts';
import { peekHeader } from './header-peek.ts';
import type { HeaderFacts } from './header-peek.ts';
import type { SmtpReceivingOptions } from './smtp-receiving.ts';
import { missingFields, receivedField } from './trace-fields.ts';
import { countForAccount } from '../../shared/reporting/account-counts.ts';

/** `relayed-submission`: from a front-end that names the user. `submission`: from the user. */
export type SmtpRole = 'mx' | 'submission' | 'relayed-submission';

interface Transaction {
  readonly sender: EnvelopeSender;
  /** Whether the user may send to other domains is found out with the first such recipient; a custodian leaves it to the front-end. */
  relay: 'to be asked' | 'allowed';
  /** Accounts of this node, by the recipient's address as given. */
  readonly accounts: Map<string, Account>;
}

export interface SmtpSession {
  readonly peer: SmtpPeer;
  readonly confirmations: Confirmations;
  transaction: Transaction | undefined;
}

export function smtpHandlers(options: SmtpReceivingOptions, role: SmtpRole): SmtpHandlers<SmtpSession> {
  return {
    open: (peer) => {
      // Back-ends bring mail by LMTP; none of them speaks for users of another.
      if (role === 'relayed-submission') trustedNode(options, peer, ['frontend']);
      return { peer, confirmations: new Confirmations(), transaction: undefined };
    },
    authenticate: async (_, claim) => authenticate(options, role, claim),
    ...(role === 'relayed-submission' ? { mechanisms: () => passwordQuestions(options) } : {}),
    mail: async (session, sender) => {
      session.confirmations.confirm();
      checkReversePath(sender.address);
      // A custodian keeps mail for users of other nodes, whose right to the address the front-end has checked.
      const isCustodian = role === 'relayed-submission' && sender.extra?.has('XWAYBILL-CUSTODIAN') === true;
      if (isCustodian) await options.processing.checkSpace();
      else if (role !== 'mx') await checkSender(options, session, sender);
      session.transaction = { sender, relay: isCustodian || role === 'mx' ? 'allowed' : 'to be asked', accounts: new Map() };
    },
    reset: (session) => {
      session.confirmations.confirm();
      session.transaction = undefined;
    },
    recipient: async (session, recipient) => {
      const transaction = ongoing(session);
      const account = await findAccount(options, role, recipient.address);
      if (account === undefined) return requireRelay(options, session, recipient.address);
      checkRoom(account, transaction.sender.size);
      transaction.accounts.set(recipient.address, account);
    },
    message: async (session, bytes, recipients) => {
      const { sender, accounts } = ongoing(session);
      session.transaction = undefined;
      return peekHeader(bytes, options.maxHeaderBytes, (facts, whole) => {
        guardLoop(options, facts);
        const message = {
          sender, bytes: whole, maxBytes: options.limits.maxMessageBytes, handedOver: undefined,
          trace: trace(options, role, { session, sender, recipients, facts }),
        };
        return accept(options, session, { message, recipients, accounts });
      });
    },
    close: (session, how) => session.confirmations.end(how),
  };
}

async function requireRelay(options: SmtpReceivingOptions, session: SmtpSession, address: string): Promise<void> {
  const transaction = ongoing(session);
  if (transaction.relay === 'allowed' || options.isOurDomain(parseAddress(address)?.domain ?? '')) return;
  try {
    await options.accounts.permit(session.peer.user ?? '', 'relay');
  } catch (thrown) {
    throw isFailure(thrown, 'service-denied') ? new SmtpRefused('rcpt', makeReply(550, '5.7.1', thrown.message)) : thrown;
  }
  transaction.relay = 'allowed';
}

/** A front-end that leaves the check of passwords to us asks by AUTH PLAIN; whom it vouches for it names by XCLIENT. */
function passwordQuestions({ accounts }: SmtpReceivingOptions): ReadonlyMap<string, () => SmtpSaslExchange> {
  return new Map([['PLAIN', () => {
    const exchange = startSasl('PLAIN');
    return {
      step: async (response) => {
        const step = exchange.step(response);
        if (step.kind === 'challenge') return step;
        if (step.kind !== 'password' || step.authorisationId !== undefined) throw new Failure('bad-credentials', 'no authorisation for another identity');
        const account = await accounts.login({ name: step.user, password: step.password, service: 'submission', asker: 'frontend' });
        return { kind: 'user', user: account.address };
      },
    };
  }]]);
}

async function authenticate(options: SmtpReceivingOptions, role: SmtpRole, claim: SmtpClaim): Promise<string> {
  if (role === 'relayed-submission' && claim.mechanism === 'XCLIENT') return claim.name.toLowerCase();
  if (role === 'submission' && claim.mechanism !== 'XCLIENT') return (await options.accounts.login({ name: claim.name, password: claim.password, service: 'submission', asker: 'client' })).address;
  throw new Failure('forbidden', 'not offered here');
}

/** The user must be ours (else a referral), and send as itself: its address, or an alias of it; the null path for reports of mail programs. */
async function checkSender(options: SmtpReceivingOptions, { peer }: SmtpSession, sender: EnvelopeSender): Promise<void> {
  const user = peer.user ?? '';
  const account = await options.accounts.open(user, 'submission');
  const address = sender.address.toLowerCase();
  if (address === '' || address === user || address === account.address || account.aliases().includes(address)) return;
  const entry = await options.accounts.lookUp(user);
  if (entry?.aliases.some((alias) => alias.toLowerCase() === address) === true) return;
  throw new SmtpRefused('mail', makeReply(550, '5.7.1', 'the sender address is not yours'));
}

/** The account when it is kept here; undefined when the queue takes care of the recipient. Throws what the client is to hear. */
async function findAccount(options: SmtpReceivingOptions, role: SmtpRole, address: string): Promise<Account | undefined> {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new SmtpRefused('rcpt', makeReply(553, '5.1.3', 'malformed address'));
  if (!options.isOurDomain(parsed.domain)) {
    if (role === 'mx') throw new Failure('foreign-domain', 'not our domain');
    return undefined;
  }
  try {
    const expansion = await options.accounts.expand(address);
    if (expansion.kind === 'unusable') throw expansionRefused(expansion.problem);
    return expansion.kind === 'addresses' ? undefined : await options.accounts.open(address, 'smtp');
  } catch (thrown) {
    if (isFailure(thrown, 'not-kept-here')) return undefined;
    // Known, but it can't be told now whether mail for it goes elsewhere: the queue finds out.
    if (!isFailure(thrown, 'directory-unavailable')) throw thrown;
    await options.accounts.open(address, 'smtp');
    return undefined;
  }
}

interface Arrival {
  readonly message: Parameters<SmtpReceivingOptions['processing']['enqueue']>[0];
  readonly recipients: readonly EnvelopeRecipient[];
  readonly accounts: ReadonlyMap<string, Account>;
}

async function accept(options: SmtpReceivingOptions, session: SmtpSession, { message, recipients, accounts }: Arrival): Promise<Reply> {
  const [only] = recipients;
  const { address, user } = session.peer;
  const about = { ...journeyOf(message.sender, session.peer), client: address, user, sender: message.sender.address };
  const account = recipients.length === 1 && only?.notify?.includes('SUCCESS') !== true ? accounts.get(only?.address ?? '') : undefined;
  if (account === undefined) {
    const { id, settle } = await options.processing.enqueue(message, recipients);
    session.confirmations.add(settle);
    if (user !== undefined) countForAccount(user, 'messages_sent');
    options.log.info({ ...about, recipients: recipients.length, item: id }, 'message queued');
    return makeReply(250, '2.6.0', `queued, reference ${session.peer.sessionId}`);
  }
  const { outcomes: [outcome], settle } = await options.processing.deliver(message, [account]);
  if (outcome?.at === 'failed') throw outcome.thrown;
  session.confirmations.add(settle);
  if (user !== undefined) countForAccount(user, 'messages_sent');
  options.log.info({ ...about, stored: placesOf(outcome === undefined ? [] : [outcome], [account]) }, 'message delivered');
  return makeReply(250, '2.6.0', `delivered, reference ${session.peer.sessionId}`);
}

function ongoing(session: SmtpSession): Transaction {
  if (session.transaction === undefined) throw new Failure('bad-input', 'no transaction');
  return session.transaction;
}

interface Traced {
  readonly session: SmtpSession;
  readonly sender: EnvelopeSender;
  readonly recipients: readonly EnvelopeRecipient[];
  readonly facts: HeaderFacts;
}

/** Newest on top: the hop to here, below it the one to the front-end, below that what the submission lacked. */
function trace(options: SmtpReceivingOptions, role: SmtpRole, { session: { peer }, sender, recipients, facts }: Traced): string {
  const timeMs = Date.now();
  const by = options.hostName;
  const recipient = recipients.length === 1 ? recipients[0]?.address : undefined;
  const lacking = role === 'mx' ? '' : missingFields(facts, { domain: by, timeMs });
  if (peer.forwarded === undefined) {
    return receivedField({ hello: peer.hello, address: peer.address, by, protocol: transmissionType(peer.protocol, sender), id: peer.sessionId, recipient }, timeMs) + lacking;
  }
  const frontEnd = peer.hello ?? nodeIdentity(peer.socket)?.node ?? 'unknown';
  const sessionId = sender.extra?.get('XWAYBILL-SESSION');
  const first = { hello: peer.forwarded.hello, address: peer.address, by: frontEnd, protocol: transmissionType(peer.forwarded.protocol ?? 'ESMTPSA', sender), id: typeof sessionId === 'string' ? sessionId : peer.sessionId, recipient: undefined };
  const second = { hello: frontEnd, address: undefined, by, protocol: transmissionType('ESMTPS', sender), id: peer.sessionId, recipient };
  return receivedField(second, timeMs) + receivedField(first, timeMs) + lacking;
}
