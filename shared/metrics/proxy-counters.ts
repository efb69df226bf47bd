/** What only proxies count: their ways to back-ends. Nodes are those of the configuration; all other servers are `foreign`. */
import { counter, gauge, histogram } from './metrics.ts';

const connects = histogram({
  name: 'waybill_backend_connect_seconds', unit: 'seconds', labels: ['node'], bounds: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  help: 'Time to connect to a back-end, TLS included, where it succeeded.',
});
const connectFailures = counter({ name: 'waybill_backend_connect_failed', help: 'Connections to a back-end that could not be opened.', labels: ['node'] });
const failovers = counter({ name: 'waybill_failover', help: 'Times that another back-end than the first was used: it referred there (referral), or was down and a custodian took the mail (custodian).', labels: ['service', 'kind'] });

const legsUsed = counter({ name: 'waybill_backend_connection_used_again', help: 'Logins that went over a connection to a back-end which an earlier session had left.', labels: ['node'] });
/** By node; legs are kept to nodes only. */
export const legsKept = gauge({ name: 'waybill_backend_connection_kept', help: 'Connections to a back-end that are kept for the next logins.', labels: ['node'] });

/** Names of servers outside have a dot or a colon; nodes have none (cluster-config/schema.ts). */
function label(name: string): string {
  return /^[a-z0-9-]+$/.test(name) ? name : 'foreign';
}

/** Measures what opens a connection to a back-end, and passes on how it ends. */
export async function countConnect<Result>(node: string, connect: () => Promise<Result>): Promise<Result> {
  const begunMs = performance.now();
  try {
    const opened = await connect();
    connects.observe({ node: label(node) }, (performance.now() - begunMs) / 1000);
    return opened;
  } catch (error) {
    connectFailures.add({ node: label(node) });
    throw error;
  }
}

export function countLegUsed(node: string): void {
  legsUsed.add({ node });
}

export function countFailover(service: 'smtpProxy' | 'webmailProxy' | 'logins', kind: 'referral' | 'custodian'): void {
  failovers.add({ service, kind });
}

/** For gauges by node. */
export function nodeLabel(name: string | undefined): string {
  return name === undefined ? 'none' : label(name);
}
