/** The nodes of the cluster, as several screens need them. */
import type { Tone } from './parts/screen.tsx';
import { useResource } from './resource.ts';
import type { Resource } from './resource.ts';
import type { NodesView, NodeView } from './views.ts';

export function useNodes(everyMs?: number): Resource<NodesView> {
  return useResource<NodesView>('/nodes', everyMs === undefined ? {} : { everyMs });
}

export function nodesOf({ state }: Resource<NodesView>, role: NodeView['role']): readonly NodeView[] {
  return state.at === 'ready' ? state.value.nodes.filter((node) => node.role === role) : [];
}

export const roleNames = { frontend: 'front-end', backend: 'back-end' } as const;

export const stateTones: Readonly<Record<NodeView['state'], Tone>> = { ready: 'good', stopping: 'warn', 'not-ready': 'warn', unreachable: 'bad' };

export const stateNames: Readonly<Record<NodeView['state'], string>> = { ready: 'ready', stopping: 'stopping', 'not-ready': 'not ready', unreachable: 'unreachable' };

/** Of a digest the first places say enough. */
export function shortVersion(version: string): string {
  return version.length > 14 ? version.slice(0, 10) : version;
}
