/**
 * Where our own processor time goes: nodes run once more, with V8's profiler, and what it saw is summed up in a few groups. Its
 * clock also runs while others have the processor, so on a busy machine the groups are too large, and what is outside too small.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { measureLogins } from './cells.ts';
import type { Load, LoginCell } from './cells.ts';
import type { Stage } from './stage.ts';

/** The part of V8's profile format that is read here (Chrome DevTools Protocol, Profiler.Profile). */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string } }[];
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Milliseconds for one login, by what they were spent on. */
export type TimeTable = Readonly<Record<string, number>>;

const root = resolve(import.meta.dirname, '..', '..', '..');
const warmSeconds = 3;

/** Profiles a node (front-end fe1 or back-end be1) while users of a kind log in through fe1. The node is ended for it and started again. */
export async function whereTimeGoes(stage: Stage, node: 'fe1' | 'be1', profiled: { readonly users: 'dovecot' | 'waybill'; readonly load: Load; readonly how: LoginCell }): Promise<TimeTable> {
  const { cluster } = stage.ground;
  const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'));
  try {
    await cluster.stopNode(node);
    await startProfiled(stage, node, folder);
    const load: Load = { ...profiled.load, users: profiled.users, others: { node: [cluster.pid(node)] } };
    await measureLogins(load, { ...profiled.how, seconds: Math.min(warmSeconds, profiled.how.seconds) });
    const fromUs = nowUs();
    const figures = await measureLogins(load, profiled.how);
    const toUs = nowUs();
    await cluster.stopNode(node); // profiles are written at the end
    await cluster.startNode(node);
    const logins = (figures?.['logins/s'] ?? 0) * ((toUs - fromUs) / 1e6);
    return table(sumUp(folder, { fromUs, toUs }), { logins, cpuMs: (figures?.['node CPU ms/op'] ?? 0) * logins });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Microseconds of the clock that profiles have. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

async function startProfiled(stage: Stage, node: 'fe1' | 'be1', folder: string): Promise<void> {
  const { env: environment } = process;
  const { NODE_OPTIONS: before } = environment;
  Object.assign(environment, { NODE_OPTIONS: `${before ?? ''} --cpu-prof --cpu-prof-dir=${folder}` });
  try {
    await stage.ground.cluster.startNode(node);
  } finally {
    if (before === undefined) Reflect.deleteProperty(environment, 'NODE_OPTIONS');
    else Object.assign(environment, { NODE_OPTIONS: before });
  }
}

/** Microseconds in all processes, by group, within a time. */
function sumUp(folder: string, time: { readonly fromUs: number; readonly toUs: number }): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const file of readdirSync(folder)) {
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
    const groups = new Map(profile.nodes.map(({ id, callFrame }) => [id, groupOf(callFrame)]));
    let clockUs = profile.startTime;
    for (const [index, id] of profile.samples.entries()) {
      const spentUs = profile.timeDeltas[index] ?? 0;
      clockUs += spentUs;
      const group = groups.get(id);
      if (group !== undefined && clockUs >= time.fromUs && clockUs <= time.toUs) sums.set(group, (sums.get(group) ?? 0) + spentUs);
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

const outside = 'outside JavaScript: TLS handshakes and records, reading, polling, compiling';

function table(sums: ReadonlyMap<string, number>, { logins, cpuMs }: { readonly logins: number; readonly cpuMs: number }): TimeTable {
  if (logins === 0) return {};
  const inside = [...sums.values()].reduce((sum, us) => sum + us, 0) / 1000;
  const rows = [...[...sums].map(([group, us]): [string, number] => [group, us / 1000 / logins]), [outside, Math.max(0, cpuMs - inside) / logins] as [string, number]];
  return Object.fromEntries(rows.toSorted(([, a], [, b]) => b - a));
}

/** For people: the largest groups, the others together. */
export function timeText(title: string, times: TimeTable): string {
  const rows = Object.entries(times);
  const total = rows.reduce((sum, [, ms]) => sum + ms, 0);
  const shown = rows.filter(([, ms]) => ms >= total / 100);
  const rest = rows.filter(([, ms]) => ms < total / 100).reduce((sum, [, ms]) => sum + ms, 0);
  const line = (name: string, ms: number): string => `${ms.toFixed(3).padStart(8)} ms ${((100 * ms) / total).toFixed(0).padStart(3)} %  ${name}`;
  return [`\n## Where the time goes (profiler on; waits for the processor included): ${title}, ${total.toFixed(2)} ms for each login`, ...shown.map(([name, ms]) => line(name, ms)), line('others', rest)].join('\n');
}
