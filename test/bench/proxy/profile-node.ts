/**
 * A node with V8's profiler, and what it saw, summed up in a few groups. Its clock also runs while others have the processor,
 * so on a busy machine the groups are too large, and what is outside too small.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Cluster, NodeName } from '../../harness/cluster.ts';

/** The part of V8's profile format that is read here (Chrome DevTools Protocol, Profiler.Profile). */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string } }[];
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A piece of time in microseconds of the clock that profiles have. */
export interface Window {
  readonly fromUs: number;
  readonly toUs: number;
}

const root = resolve(import.meta.dirname, '..', '..', '..');

/**
 * Ends a node, starts it with the profiler, lets `work` run, and starts the node again as it was.
 * @returns what `work` answered, and for each of its windows the microseconds in all processes, by group
 */
export async function whileProfiled<Work extends { readonly windows: readonly Window[] }>(cluster: Cluster, node: NodeName, work: () => Promise<Work>): Promise<Work & { readonly sums: readonly ReadonlyMap<string, number>[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'));
  try {
    await cluster.stopNode(node);
    await startProfiled(cluster, node, folder);
    const done = await work();
    await cluster.stopNode(node); // profiles are written at the end
    await cluster.startNode(node);
    return { ...done, sums: sumUp(folder, done.windows) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Microseconds of the clock that profiles have. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

async function startProfiled(cluster: Cluster, node: NodeName, folder: string): Promise<void> {
  const { env: environment } = process;
  const { NODE_OPTIONS: before } = environment;
  Object.assign(environment, { NODE_OPTIONS: `${before ?? ''} --cpu-prof --cpu-prof-dir=${folder}` });
  try {
    await cluster.startNode(node);
  } finally {
    if (before === undefined) Reflect.deleteProperty(environment, 'NODE_OPTIONS');
    else Object.assign(environment, { NODE_OPTIONS: before });
  }
}

function sumUp(folder: string, windows: readonly Window[]): readonly ReadonlyMap<string, number>[] {
  const sums = windows.map(() => new Map<string, number>());
  for (const file of readdirSync(folder)) {
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
    const groups = new Map(profile.nodes.map(({ id, callFrame }) => [id, groupOf(callFrame)]));
    let clockUs = profile.startTime;
    for (const [index, id] of profile.samples.entries()) {
      const spentUs = profile.timeDeltas[index] ?? 0;
      clockUs += spentUs;
      const group = groups.get(id);
      const within = group === undefined ? -1 : windows.findIndex(({ fromUs, toUs }) => clockUs >= fromUs && clockUs <= toUs);
      const sum = sums[within];
      if (group !== undefined) sum?.set(group, (sum.get(group) ?? 0) + spentUs);
    }
  }
  return sums;
}

/** Undefined for time that is none of JavaScript's. */
function groupOf({ functionName, url }: Profile['nodes'][number]['callFrame']): string | undefined {
  if (functionName === '(idle)' || functionName === '(program)' || functionName === '(root)') return undefined;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (url === '' || functionName === 'internalConnect') return 'system calls and other native calls of JavaScript';
  if (url.startsWith('node:')) return 'Node: sockets, streams, events, timers';
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (library !== undefined) return `library ${library.replace(/^@ldapjs\/.*/, 'ldapjs')}`;
  const path = url.replace('file://', '').replace(`${root}/`, '');
  return `ours: ${path.split('/').slice(0, 2).join('/')}`;
}
