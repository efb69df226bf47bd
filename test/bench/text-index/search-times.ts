/** How long searches of text take, and whether they find the same with an index and without. For any IMAP server. */
import type { BenchMail, NeedleKind } from './bench-mail.ts';

export interface SearchRun {
  /** Sends `SEARCH <key>` in an open mailbox and answers the numbers that were found, as they stand in the response: what it takes to read them is the client's. */
  search(key: string): Promise<string>;
}

export interface SearchTimes {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly worstMs: number;
  /** The median for each kind of needle, and how many messages they found. */
  readonly byKind: Readonly<Record<string, { readonly p50Ms: number; readonly worstMs: number; readonly hits: number }>>;
  /** What was asked, and what was found. */
  readonly answers: readonly { readonly key: string; readonly found: readonly number[] }[];
}

/** The same seed of `mail` asks the same. */
export async function timeSearches(run: SearchRun, mail: Pick<BenchMail, 'needle'>, count: number): Promise<SearchTimes> {
  const times: { readonly kind: NeedleKind; readonly ms: number; readonly hits: number }[] = [];
  const answers: { readonly key: string; readonly found: readonly number[] }[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const { kind, key } = mail.needle(turn);
    const beganMs = performance.now();
    const text = await run.search(key);
    const ms = performance.now() - beganMs;
    const found = text.split(' ').filter((word) => word !== '').map(Number);
    times.push({ kind, ms, hits: found.length });
    answers.push({ key, found });
  }
  const all = times.map(({ ms }) => ms);
  const kinds = [...new Set(times.map(({ kind }) => kind))].map((kind) => {
    const own = times.filter((one) => one.kind === kind);
    const ms = own.map((one) => one.ms);
    return [kind, { p50Ms: quantile(ms, 0.5), worstMs: Math.max(...ms), hits: own.reduce((sum, { hits }) => sum + hits, 0) }] as const;
  });
  return { p50Ms: quantile(all, 0.5), p95Ms: quantile(all, 0.95), worstMs: Math.max(...all), byKind: Object.fromEntries(kinds), answers };
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
