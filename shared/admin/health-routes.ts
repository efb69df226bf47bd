/** What load balancers and watchdogs ask of a node, front-end or back-end, from the same machine. */
import type { AdminRoute } from './admin-server.ts';

/** The state of the worker that answers. */
export interface Health {
  /** True once the node was told to stop. */
  readonly isStopping: () => boolean;
  /** The services that run, all their listeners open: the API is opened after them. */
  readonly services: readonly { readonly name: string }[];
  /** Throws when the node can't do its work, though it runs. */
  readonly check: () => void;
}

/** `/healthz`: the process answers (200). `/readyz`: it wants clients (200), or stops or can't serve them (503). */
export function healthRoutes(health: Health): readonly AdminRoute[] {
  return [
    { prefix: '/healthz', allow: 'loopback', answer: async () => Promise.resolve({ status: 200, body: { ok: true } }) },
    { prefix: '/readyz', allow: 'loopback', answer: async () => Promise.resolve(readiness(health)) },
  ];
}

export type Readiness = { readonly kind: 'ready' } | { readonly kind: 'stopping' } | { readonly kind: 'not-ready'; readonly reason: string };

/** Whether the worker wants clients. */
export function readinessOf({ isStopping, check }: Health): Readiness {
  if (isStopping()) return { kind: 'stopping' };
  try {
    check();
  } catch (error) {
    return { kind: 'not-ready', reason: error instanceof Error ? error.message : String(error) };
  }
  return { kind: 'ready' };
}

function readiness(health: Health): { readonly status: number; readonly body: object } {
  const state = readinessOf(health);
  if (state.kind === 'stopping') return { status: 503, body: { ready: false, reason: 'stopping' } };
  if (state.kind === 'not-ready') return { status: 503, body: { ready: false, reason: state.reason } };
  return { status: 200, body: { ready: true, services: [...new Set(health.services.map(({ name }) => name))] } };
}
