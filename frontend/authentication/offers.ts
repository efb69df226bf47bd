/** Which SASL mechanisms a connection is offered: what can be verified, as far as the configuration wants it there. Nothing else. */
import { authTypes } from '../../shared/sasl/auth-types.ts';
import type { AuthType } from '../../shared/sasl/auth-types.ts';
import type { ScramMechanism } from '../../shared/sasl/scram-keys.ts';

export type Mechanism = AuthType | `${ScramMechanism}-PLUS`;

export interface AuthPolicy {
  /** What all users can be checked by, and what the way to the back-end can do without a password. */
  readonly verifiable: readonly AuthType[];
  /** Wanted on connections with TLS; all that can be verified when absent. */
  readonly secure?: readonly AuthType[] | undefined;
  /** Wanted on connections without. */
  readonly plain: readonly AuthType[];
  /** Whether passwords and tokens may travel in the clear. */
  readonly clearTextLogin: 'yes' | 'no';
}

/** A connection as far as it matters here. */
export interface Channel {
  readonly encrypted: boolean;
  /** Whether TLS ends here, so that SCRAM can be bound to it; with a balancer's TLS it can't. */
  readonly ownTls: boolean;
  /** The client has shown a certificate of the users' authority. */
  readonly certificate: 'verified' | 'none';
}

/** The mechanisms to announce, and to accept. */
export function offeredMechanisms(policy: AuthPolicy, channel: Channel): readonly Mechanism[] {
  const wanted: readonly AuthType[] = channel.encrypted ? (policy.secure ?? authTypes) : policy.plain;
  const may = (type: AuthType): boolean => (type === 'EXTERNAL' ? channel.certificate === 'verified' : channel.encrypted || policy.clearTextLogin === 'yes' || isScram(type));
  const offered = authTypes.filter((type) => wanted.includes(type) && policy.verifiable.includes(type) && may(type));
  const bound = channel.ownTls ? offered.filter(isScram).map((type) => `${type}-PLUS` as const) : [];
  return [...bound, ...offered];
}

/** Whether commands with a password (LOGIN; USER and PASS) are obeyed. */
export function takesPasswords(policy: AuthPolicy, channel: Channel): boolean {
  if (!channel.encrypted) return policy.clearTextLogin === 'yes';
  return offeredMechanisms(policy, channel).some((mechanism) => mechanism === 'PLAIN' || mechanism === 'LOGIN');
}

function isScram(type: AuthType): type is ScramMechanism {
  return type === 'SCRAM-SHA-256' || type === 'SCRAM-SHA-1';
}
