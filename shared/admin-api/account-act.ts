/**
 * Acts of administrators that touch somebody's account: they are kept with the account as well, move along with it, and its owner
 * sees them. What is kept is the entry of the audit without what only administrators need. Pure.
 */
import { z } from 'zod';
import { sortOfAct } from './act-sorts.ts';
import type { AuditEntry } from './audit-log.ts';

export const accountActSchema = z.strictObject({
  time: z.string().max(40), node: z.string().max(64),
  /** Names the entry of the audit. */
  reference: z.string().max(64),
  who: z.string().max(200), by: z.string().max(20), from: z.string().max(64),
  /** The node that was asked. */
  via: z.string().max(64).optional(),
  /** The operation. */
  what: z.string().max(64),
  facts: z.record(z.string().max(64), z.string().max(320)),
});
export type AccountAct = z.output<typeof accountActSchema>;

/** Of an account the newest so many are kept. */
export const mostAccountActs = 100;

/** Whose account an act is about, where it is about one: a renamed one is known by its new address. */
export function accountOf(facts: Readonly<Record<string, unknown>>): string | undefined {
  return [facts['account'], facts['to'], facts['address']].find((one): one is string => typeof one === 'string' && one.includes('@'))?.toLowerCase();
}

/** What an account is to keep of an entry; undefined for what does not touch one, or was refused. */
export function accountActOf(entry: AuditEntry): { readonly account: string; readonly act: AccountAct } | undefined {
  const account = accountOf(entry.facts);
  if (account === undefined || entry.result !== 'done' || sortOfAct(entry.what) === undefined || entry.facts['wish'] === 'abort' || entry.facts['purge'] === 'yes') return undefined;
  const { time, node, reference, who, by, from, via, what } = entry;
  const facts = Object.fromEntries(Object.entries(entry.facts).map(([name, value]) => [name.slice(0, 64), (typeof value === 'string' ? value : JSON.stringify(value) ?? '').slice(0, 320)]));
  return { account, act: { time, node, reference, who: who.slice(0, 200), by, from, ...(via === undefined ? {} : { via }), what, facts } };
}

/** One wish to cut sessions reaches several nodes: to the owner it is one act. */
const oneWishMs = 10_000;

/** The acts with one more, the oldest first. */
export function withAct(acts: readonly AccountAct[], act: AccountAct): readonly AccountAct[] {
  const isSame = (other: AccountAct): boolean =>
    sortOfAct(act.what) === 'signed-out' && sortOfAct(other.what) === 'signed-out' && other.who === act.who && Math.abs(Date.parse(other.time) - Date.parse(act.time)) < oneWishMs;
  if (acts.slice(-5).some(isSame)) return acts;
  return [...acts, act].toSorted((one, other) => (one.time < other.time ? -1 : 1)).slice(-mostAccountActs);
}
