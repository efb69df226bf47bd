/** The six limits of flow control, under the names that the parameters have. Times are seconds; 0 or absent is no limit. */

export interface FlowLimits {
  /** Connections open at once. */
  readonly maxConnections?: number | undefined;
  /** The window of `maxIntervalConnections`, seconds. */
  readonly timeInterval?: number | undefined;
  /** New connections within the window. */
  readonly maxIntervalConnections?: number | undefined;
  /** Open at once from one client address (IPv6: one network). */
  readonly peerMaxConnections?: number | undefined;
  /** The window of `peerMaxIntervalConnections`, seconds. */
  readonly peerTimeInterval?: number | undefined;
  /** New connections from one client address within its window. */
  readonly peerMaxIntervalConnections?: number | undefined;
}

/** Which of the limits refused a connection. */
export const limitNames = ['maxConnections', 'maxIntervalConnections', 'peerMaxConnections', 'peerMaxIntervalConnections'] as const;
export type LimitName = (typeof limitNames)[number];

/** The window where none is given. */
export const usualIntervalSeconds = 60;

/** One thing that is counted: a listener, a service or a rule, as a whole or for one client. */
export interface Demand {
  /** The same in all workers of the node. */
  readonly key: string;
  readonly maxOpen: number | undefined;
  readonly maxRecent: number | undefined;
  readonly intervalMs: number;
  /** The names of the two limits. */
  readonly limits: { readonly open: LimitName; readonly recent: LimitName };
}

/** What has to be counted for a connection of a client (as `clientNetwork` names it); nothing where there is no limit. */
export function demandsOf(place: string, limits: FlowLimits, client: string): readonly Demand[] {
  const total: Demand = {
    key: place, maxOpen: bound(limits.maxConnections), maxRecent: bound(limits.maxIntervalConnections),
    intervalMs: (limits.timeInterval ?? usualIntervalSeconds) * 1000, limits: { open: 'maxConnections', recent: 'maxIntervalConnections' },
  };
  const peer: Demand = {
    key: `${place} ${client}`, maxOpen: bound(limits.peerMaxConnections), maxRecent: bound(limits.peerMaxIntervalConnections),
    intervalMs: (limits.peerTimeInterval ?? usualIntervalSeconds) * 1000, limits: { open: 'peerMaxConnections', recent: 'peerMaxIntervalConnections' },
  };
  return [total, peer].filter(({ maxOpen, maxRecent }) => maxOpen !== undefined || maxRecent !== undefined);
}

function bound(limit: number | undefined): number | undefined {
  return limit === 0 ? undefined : limit;
}
