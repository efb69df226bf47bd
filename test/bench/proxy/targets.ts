/** What is aimed at, and whether it was reached. */
import { medianOf, round } from './report.ts';
import type { CellResults } from './report.ts';

/** All results of a run, by the id of their cell. */
export type Results = ReadonlyMap<string, CellResults>;

interface Target {
  readonly says: string;
  readonly cell: string;
  readonly unit: string;
  readonly own: string;
  /** Whose figure ours is divided by, or from ours is subtracted; the bare figure when absent. */
  readonly beside?: { readonly name: string; readonly how: 'divided' | 'subtracted' } | undefined;
  readonly limit: { readonly least: number } | { readonly most: number };
}

export interface Verdict {
  readonly says: string;
  /** Null when the run was too short to tell, which is not reached. */
  readonly value: number | null;
  readonly limit: string;
  readonly reached: 'yes' | 'no';
}

const [own, nginx, dovecot] = ['Waybill', 'nginx with helper', 'Dovecot proxy tuned'];
const tlsInside = 'Waybill, TLS inside';

const loginTargets = ([['login-tls', 'logins, TLS'], ['login-resumed', 'logins, TLS resumed'], ['login-plain', 'logins, plain'], ['login-pop3', 'logins, POP3 and TLS']] as const).flatMap(([cell, says]) =>
  [nginx, dovecot].flatMap((name): Target[] => [
    { says: `${says}: CPU for each, beside ${name}`, cell, unit: 'CPU ms/op', own, beside: { name, how: 'divided' }, limit: { most: 1 } },
    { says: `${says}: rate, beside ${name}`, cell, unit: 'logins/s', own, beside: { name, how: 'divided' }, limit: { least: 1 } },
  ]));

const memoryTargets = ([['memory-plain', 'without TLS', own, 16], ['memory-tls', 'TLS to the client', own, 50], ['memory-both', 'TLS on both legs', tlsInside, 105]] as const).map(([cell, legs, name, most]): Target => ({
  says: `memory for each idle session in kB, ${legs}`, cell, unit: 'kB each (resident)', own: name, limit: { most },
}));

export const targets: readonly Target[] = [
  ...loginTargets,
  { says: 'logins, TLS inside: CPU for each, beside Dovecot with TLS inside', cell: 'login-tls-inside', unit: 'CPU ms/op', own: tlsInside, beside: { name: `${dovecot}, TLS inside`, how: 'divided' }, limit: { most: 1 } },
  { says: 'fetch without TLS, beside nginx', cell: 'fetch-plain', unit: 'MB/s', own, beside: { name: nginx, how: 'divided' }, limit: { least: 0.9 } },
  { says: 'fetch with TLS, beside nginx', cell: 'fetch-tls', unit: 'MB/s', own, beside: { name: nginx, how: 'divided' }, limit: { least: 0.9 } },
  ...memoryTargets,
  { says: 'round trip added without TLS, p99 in µs', cell: 'latency', unit: 'plain p99 µs', own, beside: { name: 'Dovecot, no proxy', how: 'subtracted' }, limit: { most: 1000 } },
  { says: 'round trip added with TLS, p99 in µs', cell: 'latency', unit: 'TLS p99 µs', own, beside: { name: 'Dovecot, no proxy', how: 'subtracted' }, limit: { most: 1000 } },
  { says: 'whole system: logins, beside Dovecot\'s proxy on Dovecot', cell: 'whole', unit: 'logins/s', own, beside: { name: dovecot, how: 'divided' }, limit: { least: 1.5 } },
  { says: 'whole system: logins, beside Dovecot with TLS inside', cell: 'whole', unit: 'logins/s', own, beside: { name: `${dovecot}, TLS inside`, how: 'divided' }, limit: { least: 1.5 } },
];

/** Those targets whose cells have been measured. */
export function judge(results: Results): readonly Verdict[] {
  return targets.flatMap((target) => {
    const value = valueOf(target, results.get(target.cell));
    if (value === undefined) return [];
    const { limit, says } = target;
    const reached = Number.isFinite(value) && ('most' in limit ? value <= limit.most : value >= limit.least);
    return [{ says, value: Number.isFinite(value) ? value : null, limit: 'most' in limit ? `at most ${String(limit.most)}` : `at least ${String(limit.least)}`, reached: reached ? 'yes' : 'no' }];
  });
}

function valueOf({ unit, own: name, beside }: Target, cell: CellResults | undefined): number | undefined {
  const ours = medianOf(cell?.get(name), unit);
  if (ours === undefined || beside === undefined) return ours;
  const theirs = medianOf(cell?.get(beside.name), unit);
  if (theirs === undefined) return undefined;
  return beside.how === 'divided' ? ours / theirs : ours - theirs;
}

/** A table for people. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ says, value, limit, reached }) => `${reached === 'yes' ? 'reached' : 'MISSED '}  ${(value === null ? '?' : round(value)).padStart(8)}  ${limit.padEnd(14)} ${says}`);
  return ['\n## Targets', ...rows].join('\n');
}
