/** What load balancers and watchdogs ask of a node, front-end or back-end, from the same machine or where they are named. */
import type { AdminRoute } from './admin-server.ts';

/** The state of the worker that answers. */
export interface Health {
  /** True once the node was told to stop. */
  readonly isStopping: () => boolean;
  /** How each service of the worker is now. */
  readonly services: () => readonly { readonly name: string; readonly state: string; readonly reason?: string }[];
  /** Throws when the node can't do its work, though it runs. */
  readonly check: () => void;
  /** What does not stop it, but should be mended soon. */
  readonly warnings: () => readonly string[];
}

/**
 * `/healthz`: the process answers (200). `/readyz`: it wants clients (200), or stops or can't serve them (503);
 * `/readyz?service=imap`: the same for one service, which an administrator may have stopped.
 */
export function healthRoutes(health: Health): readonly AdminRoute[] {
  return [
    { prefix: '/healthz', allow: 'observers', answer: async () => Promise.resolve({ status: 200, body: { ok: true } }) },
    { prefix: '/readyz', allow: 'observers', answer: async (_, { query }) => Promise.resolve(readiness(health, query.get('service') ?? undefined)) },
  ];
}

export type Readiness = { readonly kind: 'ready' } | { readonly kind: 'stopping' } | { readonly kind: 'not-ready'; readonly reason: string };

/** Whether the worker wants clients. A service that an administrator stopped is no reason not to; one that can't start is. */
export function readinessOf({ isStopping, check, services }: Health): Readiness {
  if (isStopping()) return { kind: 'stopping' };
  const failed = services().find(({ state }) => state === 'failed');
  if (failed !== undefined) return { kind: 'not-ready', reason: `${failed.name} could not start: ${failed.reason ?? ''}` };
  try {
    check();
  } catch (error) {
    return { kind: 'not-ready', reason: error instanceof Error ? error.message : String(error) };
  }
  return { kind: 'ready' };
}

function readiness(health: Health, service: string | undefined): { readonly status: number; readonly body: object } {
  const state = readinessOf(health);
  if (state.kind === 'stopping') return { status: 503, body: { ready: false, reason: 'stopping' } };
  if (state.kind === 'not-ready') return { status: 503, body: { ready: false, reason: state.reason } };
  const running = runningOf(health);
  if (service !== undefined && !running.includes(service)) return { status: 503, body: { ready: false, reason: `${service} does not run` } };
  const warnings = health.warnings();
  return { status: 200, body: { ready: true, services: running, ...(warnings.length === 0 ? {} : { warnings }) } };
}

/** Names of the services that run. */
export function runningOf({ services }: Pick<Health, 'services'>): string[] {
  return services().filter(({ state }) => state === 'running').map(({ name }) => name);
}
