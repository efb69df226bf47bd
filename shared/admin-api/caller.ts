/** Who asks the admin API, and what that person or node may do. */
import { Failure } from '../base/failure.ts';
import { isOfDomains } from './capability.ts';
import type { Capability } from './capability.ts';

/** A configured administrator. */
export interface Administrator {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** Only accounts and mail of these; all when empty. */
  readonly domains: readonly string[];
}

export type Who =
  | { readonly kind: 'administrator'; readonly administrator: Administrator }
  /** A node of the cluster on its own behalf, or a command on its machine, run by `operator`. */
  | { readonly kind: 'node'; readonly node: string; readonly operator: string | undefined };

export interface Caller {
  readonly who: Who;
  /** How they proved it. */
  readonly by: 'cookie' | 'token' | 'password' | 'certificate';
  /** Their IP address. */
  readonly from: string;
  /** Of cookies and tokens: the id of the sign-in. */
  readonly session: string | undefined;
  /** The node that passed the request on; undefined when it came from them. */
  readonly via: string | undefined;
}

/** How audits name them. */
export function nameOf({ who }: Pick<Caller, 'who'>): string {
  if (who.kind === 'administrator') return who.administrator.name;
  return who.operator === undefined ? `node ${who.node}` : `${who.operator} at node ${who.node}`;
}

export function may({ who }: Pick<Caller, 'who'>, capability: Capability): boolean {
  return who.kind === 'node' || who.administrator.capabilities.has(capability);
}

/** @throws Failure('forbidden') that names what is missing */
export function demand(caller: Pick<Caller, 'who'>, capability: Capability): void {
  if (may(caller, capability)) return;
  const limited = caller.who.kind === 'administrator' && caller.who.administrator.domains.length > 0 && !isOfDomains(capability);
  throw new Failure('forbidden', limited ? `${nameOf(caller)} administers some domains only, and this is about the whole cluster` : `${nameOf(caller)} has no permission ${capability}`);
}

/** Whether an address is of a domain that the caller administers. */
export function mayTouch({ who }: Pick<Caller, 'who'>, address: string): boolean {
  if (who.kind === 'node' || who.administrator.domains.length === 0) return true;
  return who.administrator.domains.includes(address.slice(address.lastIndexOf('@') + 1).toLowerCase());
}

/** @throws Failure('forbidden') for an address of a domain that the caller does not administer */
export function demandAddress(caller: Pick<Caller, 'who'>, address: string): void {
  if (!mayTouch(caller, address)) throw new Failure('forbidden', `${nameOf(caller)} does not administer the domain of ${address}`);
}

/** @throws Failure('forbidden') for a domain that the caller does not administer */
export function demandDomain(caller: Pick<Caller, 'who'>, domain: string): void {
  if (!mayTouch(caller, `@${domain}`)) throw new Failure('forbidden', `${nameOf(caller)} does not administer the domain ${domain}`);
}

/** What touches more than single domains. @throws Failure('forbidden') for an administrator of some domains only */
export function demandWholeCluster(caller: Pick<Caller, 'who'>): void {
  const { who } = caller;
  if (who.kind === 'administrator' && who.administrator.domains.length > 0) throw new Failure('forbidden', `${nameOf(caller)} administers some domains only, and this is about the whole cluster`);
}
