/**
 * Which rule decides on a client (pure). Rules stand on three levels, asked in this order: listener, service, the whole node.
 * On one level the best matching deny rule and the best matching allow rule are compared; the lowest number is the highest
 * priority, and where both are equal the client is denied. Only where nothing matches the next level is asked.
 */
import type { FlowLimits } from './flow-limits.ts';
import { ipSetContains } from './ip-set.ts';
import type { IpSet } from './ip-set.ts';
import { parseAddress } from './network.ts';

export interface DenyRule {
  /** As written: the rule's key. */
  readonly name: string;
  readonly ipSet: IpSet;
  readonly enable: boolean;
  /** The lowest number wins. */
  readonly priority: number;
}

/** Lets in, as far as its limits go: for the whole set and for each address in it. */
export interface AllowRule extends DenyRule {
  readonly limits: FlowLimits;
}

export interface RuleSet {
  readonly allow: readonly AllowRule[];
  readonly deny: readonly DenyRule[];
}

/** The entry for anybody that every listener has: ignore the listener's rules and ask the service's. Switched off, who matches no rule of the listener is let in. */
export interface ServiceRule {
  readonly enable: boolean;
  readonly priority: number;
}

export interface RuleLevels {
  readonly listener: RuleSet;
  readonly serviceRule: ServiceRule;
  readonly service: RuleSet;
  readonly global: RuleSet;
}

export type Level = 'listener' | 'service' | 'global';

export type Judgement =
  | { readonly kind: 'allowed'; readonly rule: AllowRule; readonly level: Level }
  | { readonly kind: 'denied'; readonly rule: DenyRule; readonly level: Level }
  /** No rule matches: only the limits of listener and service hold. */
  | { readonly kind: 'no-rule' };

/** Judges a client by its address. */
export function judge(levels: RuleLevels, client: string): Judgement {
  const address = parseAddress(client);
  const atListener = best(levels.listener, 'listener', address);
  const { serviceRule } = levels;
  if (atListener.kind !== 'no-rule' && !(serviceRule.enable && serviceRule.priority < atListener.rule.priority)) return atListener;
  if (!serviceRule.enable) return atListener;
  const atService = best(levels.service, 'service', address);
  return atService.kind === 'no-rule' ? best(levels.global, 'global', address) : atService;
}

function best(rules: RuleSet, level: Level, address: ReturnType<typeof parseAddress>): Judgement {
  const deny = first(rules.deny, address);
  const allow = first(rules.allow, address);
  if (allow !== undefined && (deny === undefined || allow.priority < deny.priority)) return { kind: 'allowed', rule: allow, level };
  return deny === undefined ? { kind: 'no-rule' } : { kind: 'denied', rule: deny, level };
}

/** The matching rule of the best priority; of equals, the one that stands first. */
function first<Rule extends DenyRule>(rules: readonly Rule[], address: ReturnType<typeof parseAddress>): Rule | undefined {
  let found: Rule | undefined;
  for (const rule of rules) {
    if (rule.enable && (found === undefined || rule.priority < found.priority) && ipSetContains(rule.ipSet, address)) found = rule;
  }
  return found;
}
