/** Where our own processor time goes: a node runs once more, with V8's profiler (see there how far it can be believed). */
import { measureLogins } from './cells.ts';
import type { Load, LoginCell } from './cells.ts';
import { nowUs, whileProfiled } from './profile-node.ts';
import type { Stage } from './stage.ts';

/** Milliseconds for one of what was done, by what they were spent on. */
export type TimeTable = Readonly<Record<string, number>>;

const warmSeconds = 3;

/** Profiles a node (front-end fe1 or back-end be1) while users of a kind log in through fe1. The node is ended for it and started again. */
export async function whereTimeGoes(stage: Stage, node: 'fe1' | 'be1', profiled: { readonly users: 'dovecot' | 'waybill'; readonly load: Load; readonly how: LoginCell }): Promise<TimeTable> {
  const { cluster } = stage.ground;
  const { figures, windows: [window], sums: [sum] } = await whileProfiled(cluster, node, async () => {
    const load: Load = { ...profiled.load, users: profiled.users, others: { node: [cluster.pid(node)] } };
    await measureLogins(load, { ...profiled.how, seconds: Math.min(warmSeconds, profiled.how.seconds) });
    const fromUs = nowUs();
    const figures = await measureLogins(load, profiled.how);
    return { figures, windows: [{ fromUs, toUs: nowUs() }] };
  });
  const logins = (figures?.['logins/s'] ?? 0) * (((window?.toUs ?? 0) - (window?.fromUs ?? 0)) / 1e6);
  return timeTable(sum ?? new Map(), { count: logins, cpuMs: (figures?.['node CPU ms/op'] ?? 0) * logins });
}

const outside = 'outside JavaScript: TLS handshakes and records, reading, polling, compiling';

/** Of microseconds by group: milliseconds for each of so many things that were done, and what of the processor time was outside JavaScript. */
export function timeTable(sums: ReadonlyMap<string, number>, { count, cpuMs }: { readonly count: number; readonly cpuMs: number }): TimeTable {
  if (count === 0) return {};
  const inside = [...sums.values()].reduce((sum, us) => sum + us, 0) / 1000;
  const rows = [...[...sums].map(([group, us]): [string, number] => [group, us / 1000 / count]), [outside, Math.max(0, cpuMs - inside) / count] as [string, number]];
  return Object.fromEntries(rows.toSorted(([, a], [, b]) => b - a));
}

/**
 * For people: the largest groups, the others together.
 * @param each what the milliseconds are for
 */
export function timeText(title: string, times: TimeTable, each = 'login'): string {
  const rows = Object.entries(times);
  const total = rows.reduce((sum, [, ms]) => sum + ms, 0);
  const shown = rows.filter(([, ms]) => ms >= total / 100);
  const rest = rows.filter(([, ms]) => ms < total / 100).reduce((sum, [, ms]) => sum + ms, 0);
  const line = (name: string, ms: number): string => `${ms.toFixed(3).padStart(8)} ms ${((100 * ms) / total).toFixed(0).padStart(3)} %  ${name}`;
  return [`\n## Where the time goes (profiler on; waits for the processor included): ${title}, ${total.toFixed(2)} ms for each ${each}`, ...shown.map(([name, ms]) => line(name, ms)), line('others', rest)].join('\n');
}
