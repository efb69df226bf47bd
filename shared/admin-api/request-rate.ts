/** How often one client may ask: so many requests at once, and so many a second after that. */
import { boundedCache } from '../base/bounded-cache.ts';

export interface RequestRate {
  readonly burst: number;
  readonly perSecond: number;
}

const mostClients = 10_000;

export class RequestRates {
  readonly #rate: RequestRate;
  readonly #clients = boundedCache<{ tokens: number; atMs: number }>(mostClients);

  constructor(rate: RequestRate) {
    this.#rate = rate;
  }

  /** Whether this client may ask now; counts it. */
  take(client: string): 'granted' | 'too many' {
    const { burst, perSecond } = this.#rate;
    const nowMs = performance.now();
    const known = this.#clients.get(client) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, known.tokens + ((nowMs - known.atMs) / 1000) * perSecond);
    this.#clients.set(client, { tokens: Math.max(0, tokens - 1), atMs: nowMs });
    return tokens >= 1 ? 'granted' : 'too many';
  }
}
