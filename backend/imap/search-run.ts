/** Finds the messages of a search program: what SEARCH, SORT, THREAD and ESEARCH begin with. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import type { SearchProgram } from '../../shared/imap/search-arguments.ts';
import { contains, namesSequences, searchCharsets } from '../../shared/imap/search-keys.ts';
import type { SearchKey } from '../../shared/imap/search-keys.ts';
import { Verdict } from '../text-index/text-index.ts';
import type { Telling } from './command.ts';
import type { FoundList } from './found-list.ts';
import { keptAnswer, lastingSearch } from './kept-answers.ts';
import type { Progress } from './progress.ts';
import { Relevance, fuzzyAtLeaves } from './relevance.ts';
import { Refusal, no } from './replies.ts';
import { compileSearch } from './search-matcher.ts';
import type { Test } from './search-matcher.ts';
import { planSearch, spansToRead } from './search-plan.ts';
import type { Plan } from './search-plan.ts';
import type { Session } from './session.ts';
import type { ViewBatch } from './view-batch.ts';
import type { Numbered, Numbers, Span, View } from './view.ts';

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

/** What may be told after a search: no expunges where the client may have sequence numbers under way, be it in the answer or in the keys (RFC 7162 section 3.2.10.2). @param numbers of the answer */
export function searchTells(key: SearchKey, numbers: Numbers): Telling {
  return numbers === 'uid' && !namesSequences(key) ? 'everything' : 'no-expunges';
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

type Matches = (candidate: Numbered) => boolean;

/** Where the index alone decides, many rows are looked at in one go: hears of those that match, and where in their batch they are. */
async function lookAtRows({ session, view }: Ground, { matches, progress }: { readonly matches: Matches; readonly progress: Progress }, hear: (batch: ViewBatch, index: number) => void): Promise<void> {
  const pacer = new Pacer();
  for (const batch of view.looks([{ from: 0, to: view.count - 1 }], looksAtOnce)) {
    if (session.abandoned) break;
    for (let index = 0; index < batch.length; index += 1) if (matches(batch.look(index))) hear(batch, index);
    await progress.report(batch.length === 0 ? 0 : batch.look(batch.length - 1).sequence);
    if (pacer.isDue) await pacer.breathe();
  }
}

/** Their numbers alone: no object is made for any of them. */
async function placesOfRows(ground: Ground, matches: Matches, progress: Progress): Promise<FoundList> {
  const [sequences, uids]: [number[], number[]] = [[], []];
  await lookAtRows(ground, { matches, progress }, (batch, index) => {
    const { sequence, row } = batch.look(index);
    sequences.push(sequence);
    uids.push(row.uid);
  });
  return { sequences: new Uint32Array(sequences), uids: new Uint32Array(uids) };
}

/** The messages that match, in mailbox order; fewer when the client has gone meanwhile. */
export async function findMessages(ground: Ground, given: SearchKey, progress: Progress): Promise<Numbered[]> {
  const search = await prepare(ground, given);
  const found: Numbered[] = [];
  if (search.by === 'rows') {
    await lookAtRows(ground, { ...search, progress }, (batch, index) => found.push(batch.message(index)));
    return found;
  }
  await look({ ...ground, progress }, { ...search, spans: spansToRead(search.plan, 'found and unknown') }, (candidate, matches) => {
    if (matches) found.push(search.isFuzzy ? { ...candidate, relevancy: search.relevance.of(candidate.row.uid) } : candidate);
  });
  return found;
}

/** As `findMessages`, for who needs no more than numbers: of messages that the text index knows to match no row is read. */
export async function findPlaces(ground: Ground, given: SearchKey, progress: Progress): Promise<FoundList> {
  if (given.key === 'all') return stillThere(ground.view, new Uint8Array(ground.view.count).fill(Verdict.yes));
  const lasting = lastingSearch(ground.view, given);
  const search = await prepare(ground, given);
  if (search.by === 'rows') {
    const find = async (): Promise<FoundList> => placesOfRows(ground, search.matches, progress);
    return lasting === undefined ? find() : keptAnswer(ground, lasting, find);
  }
  const { plan } = search;
  await look({ ...ground, progress }, { ...search, spans: spansToRead(plan, 'unknown') }, ({ sequence }, matches) => {
    plan[sequence - 1] = matches ? Verdict.yes : Verdict.no;
  });
  const places = stillThere(ground.view, plan);
  return search.isFuzzy ? { ...places, relevancies: places.uids.map((uid) => search.relevance.of(uid)) } : places;
}

/** Of the positions that are said to match those whose messages are still in the mailbox. */
function stillThere(view: View, plan: Plan): { readonly sequences: Uint32Array; readonly uids: Uint32Array } {
  const there = view.mailbox.uids();
  const all = view.uids;
  const count = countOf(plan, Verdict.yes);
  const [sequences, uids] = [new Uint32Array(count), new Uint32Array(count)];
  let [at, found] = [0, 0];
  for (let position = 0; position < plan.length; position += 1) {
    if (plan[position] !== Verdict.yes) continue;
    const uid = all[position] ?? 0;
    if (there !== all) { // sessions share the list, so mostly it is the same
      while (at < there.length && (there[at] ?? 0) < uid) at += 1;
      if (there[at] !== uid) continue;
    }
    sequences[found] = position + 1;
    uids[found] = uid;
    found += 1;
  }
  return { sequences: sequences.subarray(0, found), uids: uids.subarray(0, found) };
}

function countOf(plan: Plan, wanted: number): number {
  let count = 0;
  for (let position = 0; position < plan.length; position += 1) if (plan[position] === wanted) count += 1;
  return count;
}

/** How messages are looked for: by their rows alone, or one by one. */
type Search = { readonly by: 'rows'; readonly matches: Matches } | Look;

interface Look {
  readonly by: 'messages';
  readonly test: Test;
  /** What is known before. */
  readonly plan: Plan;
  readonly isFuzzy: boolean;
  readonly relevance: Relevance;
}

async function prepare({ session, view }: Ground, given: SearchKey): Promise<Search> {
  const relevance = new Relevance();
  const isFuzzy = contains(given, 'fuzzy');
  const key = isFuzzy ? fuzzyAtLeaves(given) : given;
  const test = compileSearch(key, view, relevance);
  const plan = await planSearch(key, { view, relevance, texts: session.options.texts });
  if (test.kind === 'row' && plan === undefined && !isFuzzy && view.count > 0) return { by: 'rows', matches: test.matches };
  return { by: 'messages', test, isFuzzy, relevance, plan: plan ?? new Uint8Array(view.count).fill(Verdict.unknown) };
}

/** Hears of each message in the spans that is there, and of which is not known that it does not match, whether it matches. */
async function look({ session, view, progress }: Ground & { readonly progress: Progress }, { test, plan, spans }: Look & { readonly spans: readonly Span[] }, hear: (candidate: Numbered, matches: boolean) => void): Promise<void> {
  const pacer = new Pacer();
  for (const batch of view.batches(spans, batchSize)) {
    for (const candidate of batch) {
      if (session.abandoned) return;
      const verdict = plan[candidate.sequence - 1] ?? Verdict.unknown;
      const answer = verdict === Verdict.unknown ? test.matches(candidate) : verdict === Verdict.yes;
      hear(candidate, typeof answer === 'boolean' ? answer : await answer);
      if (!pacer.isDue) continue;
      await progress.report(candidate.sequence);
      await pacer.breathe();
    }
    await progress.report(batch.at(-1)?.sequence ?? 0);
    if (pacer.isDue) await pacer.breathe();
  }
}
