/** Decides at the door of one listener who comes in: rules by address, then the limits of the listener, the service and the rule that let in. */
import type { ConnectionCounts } from './connection-counts.ts';
import { demandsOf } from './flow-limits.ts';
import type { Demand, FlowLimits, LimitName } from './flow-limits.ts';
import { acceptedConnections, openConnections, refusedConnections } from './connection-metrics.ts';
import type { CountedService } from '../metrics/service-counters.ts';
import { clientNetwork } from './network.ts';
import { judge } from './rules.ts';
import type { RuleLevels } from './rules.ts';

export interface DoorOptions {
  /** The listener's address, as configured. */
  readonly listener: string;
  readonly service: CountedService | 'admin';
  readonly rules: RuleLevels;
  readonly limits: { readonly listener: FlowLimits; readonly service: FlowLimits };
  /** What one client commands of IPv6. */
  readonly ipv6Prefix: number;
  readonly counts: ConnectionCounts;
}

/** Why somebody stays outside. */
export type Refusal =
  | { readonly kind: 'denied'; /** The rule. */ readonly by: string }
  | { readonly kind: LimitName; /** What is full. */ readonly of: string; readonly retryAfterSeconds: number };

export type Admission = { readonly kind: 'admitted'; readonly leave: () => void } | { readonly kind: 'refused'; readonly refusal: Refusal };

/** When to come again where nobody knows when somebody leaves. */
const retryWhenFullSeconds = 5;

export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** @param client the address, as a load balancer tells it */
  async admit(client: string): Promise<Admission> {
    const { rules, counts, service, listener } = this.#options;
    const judgement = judge(rules, client);
    if (judgement.kind === 'denied') return this.#refuse({ kind: 'denied', by: `${judgement.level} ${judgement.rule.name}` });
    const entry = await counts.enter(this.#demands(client, judgement));
    if (entry.kind === 'full') return this.#refuse({ kind: entry.limit, of: entry.demand.key, retryAfterSeconds: retryAfter(entry) });
    const labels = { service, listener };
    openConnections.add(labels);
    acceptedConnections.add(labels);
    return {
      kind: 'admitted',
      leave: () => {
        entry.leave();
        openConnections.add(labels, -1);
      },
    };
  }

  #demands(client: string, judgement: ReturnType<typeof judge>): readonly Demand[] {
    const { listener, service, limits, ipv6Prefix } = this.#options;
    const peer = clientNetwork(client, ipv6Prefix);
    const place = { listener: `listener ${listener}`, service: `service ${service}`, global: 'node' } as const;
    return [
      ...demandsOf(place.listener, limits.listener, peer),
      ...demandsOf(place.service, limits.service, peer),
      ...(judgement.kind === 'allowed' ? demandsOf(`${place[judgement.level]} rule ${judgement.rule.name}`, judgement.rule.limits, peer) : []),
    ];
  }

  #refuse(refusal: Refusal): Admission {
    const { service, listener } = this.#options;
    refusedConnections.add({ service, listener, reason: refusal.kind });
    return { kind: 'refused', refusal };
  }
}

/** In a sliding window room for one comes once in so long, on average. */
function retryAfter({ demand, limit }: { readonly demand: Demand; readonly limit: LimitName }): number {
  if (limit === demand.limits.open) return retryWhenFullSeconds;
  return Math.max(1, Math.ceil(demand.intervalMs / (demand.maxRecent ?? 1) / 1000));
}
