/** Checks that the conversations of this room have in common. */
import { Failure } from '../../shared/base/failure.ts';
import { sessionIdPattern } from '../../shared/base/session-id.ts';
import { parseAddress } from '../../shared/smtp/address.ts';
import type { EnvelopeSender } from '../../shared/smtp/commands.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import type { Account } from '../storage/storage.ts';
import type { HeaderFacts } from './header-peek.ts';
import type { SmtpReceivingOptions } from './smtp-receiving.ts';

/** The node at the other end. Throws SmtpRefused (554 5.7.1) for anybody whom the configuration doesn't list, and for nodes of other roles. */
export function trustedNode(options: SmtpReceivingOptions, peer: SmtpPeer, roles: readonly NodeIdentity['role'][]): NodeIdentity {
  const identity = nodeIdentity(peer.socket);
  if (identity !== undefined && roles.includes(identity.role) && options.isTrustedNode(identity)) return identity;
  options.log.warn({ peer: peer.address, identity, session: peer.sessionId }, 'refused on a trusted listener');
  throw new SmtpRefused('connect', makeReply(554, '5.7.1', 'for nodes of this cluster only'));
}

/** Throws SmtpRefused (553 5.1.7) for a reverse-path that could never be answered; the null path is one. */
export function checkReversePath(address: string): void {
  if (address !== '' && parseAddress(address) === undefined) throw new SmtpRefused('mail', makeReply(553, '5.1.7', 'malformed sender address'));
}

/** Throws `over-quota` when the account is full, or would be with a message of the size announced. */
export function checkRoom(account: Account, sizeBytes: number | undefined): void {
  const { bytes, messages, bytesLimit, messagesLimit } = account.quota();
  const isFull = (bytesLimit > 0 && bytes + (sizeBytes ?? 1) > bytesLimit) || (messagesLimit > 0 && messages >= messagesLimit);
  if (isFull) throw new Failure('over-quota', 'mailbox is full');
}

/** Throws SmtpRefused (554 5.4.6) for a message that goes round in circles. */
export function guardLoop(options: SmtpReceivingOptions, facts: HeaderFacts): void {
  if (facts.receivedFields <= options.maxReceivedHeaders) return;
  throw new SmtpRefused('message', makeReply(554, '5.4.6', `mail loop: more than ${String(options.maxReceivedHeaders)} Received fields`));
}

/** The ids by which a message is followed: that of the client's session at the front-end, and that of the leg to here where it is another. */
export function journeyOf({ extra }: Pick<EnvelopeSender, 'extra'>, { sessionId }: Pick<SmtpPeer, 'sessionId'>): { readonly session: string; readonly leg?: string } {
  const told = extra?.get('XWAYBILL-SESSION');
  return typeof told === 'string' && sessionIdPattern.test(told) ? { session: told, leg: sessionId } : { session: sessionId };
}
