/**
 * What is known of a search before any message is looked at: for each message of the view yes, no, or unknown, by the text
 * index. Three-valued logic (Kleene's) keeps that right under NOT and OR: what is unknown is
 * tested as ever.
 */
import type { SearchKey } from '../../shared/imap/search-keys.ts';
import { casemap } from '../../shared/mime/casemap.ts';
import { unknownScore, Verdict } from '../text-index/text-index.ts';
import type { TextAnswers, TextQuestion } from '../text-index/text-index.ts';
import type { Relevance } from './relevance.ts';
import type { Span, View } from './view.ts';

/** Where a search is planned. */
export interface PlanGround {
  readonly view: View;
  readonly texts: TextAnswers | undefined;
  /** Hears how well messages match. */
  readonly relevance: Relevance;
}

/** A `Verdict` for each position of the view. */
export type Plan = Uint8Array;

/** Undefined when nothing is known. */
export async function planSearch(key: SearchKey, ground: PlanGround): Promise<Plan | undefined> {
  if (ground.texts === undefined || !asksForText(key)) return undefined;
  return planKey(key, { ...ground, texts: ground.texts, uids: ground.view.uids });
}

type TextKey = Extract<SearchKey, { key: 'header' | 'body' | 'text' }>;

export function isTextKey(key: SearchKey): key is TextKey {
  return key.key === 'header' || key.key === 'body' || key.key === 'text';
}

/** The question that a key asks of the text of a message. */
export function questionOf(key: TextKey): TextQuestion {
  const value = casemap(key.value);
  return key.key === 'header' ? { in: 'header', name: key.name, value } : { in: key.key, value };
}

interface Planned extends PlanGround {
  readonly texts: TextAnswers;
  readonly uids: readonly number[];
}

async function planKey(key: SearchKey, ground: Planned): Promise<Plan | undefined> {
  const { view, uids, texts } = ground;
  switch (key.key) {
    case 'all':
      return new Uint8Array(view.count).fill(Verdict.yes);
    case 'and':
      return combined(key.operands, ground, { decides: Verdict.no, else: Verdict.yes });
    case 'or':
      return combined([key.left, key.right], ground, { decides: Verdict.yes, else: Verdict.no });
    case 'not':
      return negated(await planKey(key.operand, ground));
    case 'header':
    case 'body':
    case 'text':
      return texts.verdicts(view.mailbox, questionOf(key), uids);
    case 'fuzzy':
      return isTextKey(key.operand) ? planFuzzy(questionOf(key.operand), ground) : planKey(key.operand, ground);
    default:
      return undefined;
  }
}

async function planFuzzy(question: TextQuestion, { view, uids, texts, relevance }: Planned): Promise<Plan | undefined> {
  const scores = await texts.scores(view.mailbox, question, uids);
  return scores?.map((score, position) => {
    if (score === 0) return Verdict.no;
    if (score === unknownScore) return Verdict.unknown;
    relevance.note(uids[position] ?? 0, score);
    return Verdict.yes;
  });
}

function asksForText(key: SearchKey): boolean {
  if (key.key === 'and') return key.operands.some(asksForText);
  if (key.key === 'or') return asksForText(key.left) || asksForText(key.right);
  if (key.key === 'not' || key.key === 'fuzzy') return asksForText(key.operand);
  return isTextKey(key);
}

/**
 * One verdict that `decides` is the whole's; without one the whole is unknown as soon as a part is. Two plans at a time are held: a search may
 * have thousands of keys, and a mailbox hundreds of thousands of messages.
 */
async function combined(keys: readonly SearchKey[], ground: Planned, verdict: { readonly decides: number; readonly else: number }): Promise<Plan | undefined> {
  let whole: Plan | undefined;
  let unplanned = false;
  for (const key of keys) {
    const plan = await planKey(key, ground);
    if (plan === undefined) unplanned = true;
    else {
      whole ??= new Uint8Array(ground.view.count).fill(verdict.else);
      enter(plan, whole, verdict.decides);
    }
  }
  return unplanned ? whole?.map((known) => (known === verdict.decides ? known : Verdict.unknown)) : whole;
}

function enter(plan: Plan, whole: Plan, decides: number): void {
  for (let at = 0; at < whole.length; at += 1) {
    if (plan[at] === decides) whole[at] = decides;
    else if (plan[at] === Verdict.unknown && whole[at] !== decides) whole[at] = Verdict.unknown;
  }
}

function negated(plan: Plan | undefined): Plan | undefined {
  return plan?.map((verdict) => (verdict === Verdict.unknown ? verdict : Verdict.yes - verdict));
}

/** Positions that are near to each other are read at once: a block of rows has 64. */
const gap = 64;

/** Where messages stand of which is not known that they don't match, or only those that must be looked at; with what is between them. */
export function spansToRead(plan: Plan, wanted: 'found and unknown' | 'unknown'): Span[] {
  const spans: { from: number; to: number }[] = [];
  if (wanted === 'unknown' && !plan.includes(Verdict.unknown)) return spans; // so it mostly is
  for (let at = 0; at < plan.length; at += 1) {
    if (plan[at] === Verdict.no || (plan[at] === Verdict.yes && wanted === 'unknown')) continue;
    const last = spans.at(-1);
    if (last !== undefined && at - last.to <= gap) last.to = at;
    else spans.push({ from: at, to: at });
  }
  return spans;
}
