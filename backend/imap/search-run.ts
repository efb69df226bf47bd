/** Finds the messages of a search program: what SEARCH, SORT, THREAD and ESEARCH begin with. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import type { SearchProgram } from '../../shared/imap/search-arguments.ts';
import { contains, searchCharsets } from '../../shared/imap/search-keys.ts';
import type { SearchKey } from '../../shared/imap/search-keys.ts';
import { Verdict } from '../text-index/text-index.ts';
import type { Progress } from './progress.ts';
import { Relevance, fuzzyAtLeaves } from './relevance.ts';
import { Refusal, no } from './replies.ts';
import { compileSearch } from './search-matcher.ts';
import { planSearch, spansToRead } from './search-plan.ts';
import type { Session } from './session.ts';
import type { Numbered, View } from './view.ts';

/** Rows taken from the index at a time. */
export const batchSize = 512;
/** The same where no object is made for each. */
const looksAtOnce = 4096;

/** Refuses a charset that nobody here reads. */
export function checkCharset({ charset }: SearchProgram): void {
  if (charset === undefined || searchCharsets.has(charset)) return;
  const known = [...searchCharsets].join(' ');
  throw new Refusal(no(`only ${known.replace(' ', ' and ')} are understood`, `BADCHARSET (${known})`));
}

/** After ENABLE UTF8=ACCEPT only one charset is possible, and is not named where it need not be (RFC 6855 section 3). */
export function checkCharsetUnnamed(session: Session, { charset }: SearchProgram): void {
  if (charset !== undefined && session.isEnabled('UTF8=ACCEPT')) throw new Failure('bad-input', 'CHARSET is not allowed after ENABLE UTF8=ACCEPT');
}

/** A search with SAVE that is answered by NO leaves nothing in `$`; one that is answered by BAD leaves it as it was (RFC 5182 section 2.1). */
export function forgetSaved(view: View, error: unknown): void {
  const isBad = error instanceof Refusal ? error.completion.status === 'BAD' : isFailure(error, 'bad-input');
  if (!isBad) view.saved = [];
}

/** Whether mod-sequences are to be told; asking for them enables CONDSTORE (RFC 7162 section 3.1). */
export function tellsModseq(session: Session, key: SearchKey): boolean {
  const tells = contains(key, 'modseq');
  if (tells) session.enable('CONDSTORE');
  return tells;
}

interface Ground {
  readonly session: Session;
  readonly view: View;
}

/** Where the index alone decides, many rows are looked at in one go. */
async function findRows({ session, view }: Ground, matches: (candidate: Numbered) => boolean, progress: Progress): Promise<Numbered[]> {
  const found: Numbered[] = [];
  const pacer = new Pacer();
  for (const batch of view.looks([{ from: 0, to: view.count - 1 }], looksAtOnce)) {
    if (session.abandoned) break;
    for (let index = 0; index < batch.length; index += 1) if (matches(batch.look(index))) found.push(batch.message(index));
    await progress.report(batch.length === 0 ? 0 : batch.look(batch.length - 1).sequence);
    if (pacer.isDue) await pacer.breathe();
  }
  return found;
}

/** The messages that match, in mailbox order; fewer when the client has gone meanwhile. */
export async function findMessages({ session, view }: Ground, given: SearchKey, progress: Progress): Promise<Numbered[]> {
  const relevance = new Relevance();
  const fuzzy = contains(given, 'fuzzy');
  const key = fuzzy ? fuzzyAtLeaves(given) : given;
  const test = compileSearch(key, view, relevance);
  const plan = await planSearch(key, { view, relevance, texts: session.options.texts });
  if (view.count === 0) return [];
  if (test.kind === 'row' && plan === undefined && !fuzzy) return findRows({ session, view }, test.matches, progress);
  const found: Numbered[] = [];
  const pacer = new Pacer();
  const spans = plan === undefined ? [{ from: 0, to: view.count - 1 }] : spansToRead(plan);
  for (const batch of view.batches(spans, batchSize)) {
    for (const candidate of batch) {
      if (session.abandoned) return found;
      const verdict = plan?.[candidate.sequence - 1] ?? Verdict.unknown;
      const matches = verdict === Verdict.unknown ? (test.kind === 'row' ? test.matches(candidate) : await test.matches(candidate)) : verdict === Verdict.yes;
      if (matches) found.push(fuzzy ? { ...candidate, relevancy: relevance.of(candidate.row.uid) } : candidate);
      if (!pacer.isDue) continue;
      await progress.report(candidate.sequence);
      await pacer.breathe();
    }
    await progress.report(batch.at(-1)?.sequence ?? 0);
    if (pacer.isDue) await pacer.breathe();
  }
  return found;
}
