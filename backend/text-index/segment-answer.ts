/** What a segment knows of a question: the messages that certainly hold it, and those that may and must be looked into. */
import { casemap } from '../../shared/mime/casemap.ts';
import { addList, emptySet, intersect, isEmpty, unite } from './posting-list.ts';
import type { RankSet } from './posting-list.ts';
import type { TextQuestion } from './question.ts';
import type { ListPlace, Segment, Table } from './segment-file.ts';
import type { Field, TokenKind } from './segment-format.ts';
import { messagesWithPhrase } from './segment-phrase.ts';
import { needleLinks, needleRuns, neighbours, pieceLength, somethingElse } from './tokens.ts';
import type { NeedleRun } from './tokens.ts';
import { matches, placesIn } from './vocabulary.ts';
import type { Match } from './vocabulary.ts';

export interface SegmentAnswer {
  readonly proven: RankSet;
  readonly candidates: RankSet;
}

/** Of these header fields the index keeps the values apart. */
const valueFields: readonly Field[] = ['subject', 'from', 'to', 'cc'];

/** Of the tokens that a long run is made of, so many, the rarest, are looked up: the others would hardly leave out anything more. */
const mostNeighbours = 8;

/** Undefined when tokens can't tell anything of the question: it has no letter and no digit. Throws DamagedIndex. */
export async function answerOf(segment: Segment, question: TextQuestion): Promise<SegmentAnswer | undefined> {
  const { value } = question;
  const places = fieldsOf(question);
  const runs = needleRuns(value);
  const [only] = runs;
  const isWhole = isOneField(question) && startsAndEnds(runs);
  if (isWhole && only?.open === 'both' && !isPhrase(runs)) return answerOfRun(segment, places, only);
  const name = question.in === 'header' && !isOneField(question) ? needleRuns(`${casemap(question.name)}:`) : [];
  if (runs.length + name.length === 0) return undefined;
  const answer = isPhrase(runs) ? await answerOfPhrase(segment, places, runs) : candidatesOnly(await messagesWithAll(segment, places, runs));
  if (isWhole && runs.slice(1).every(({ before }) => before !== somethingElse)) return answer;
  unite(answer.candidates, answer.proven);
  if (name.length > 0) intersect(answer.candidates, await messagesWithAll(segment, places, name));
  return candidatesOnly(answer.candidates);
}

/** Whether the needle begins and ends with a letter or digit. */
function startsAndEnds(runs: readonly NeedleRun[]): boolean {
  const [first, last] = [runs[0]?.open, runs.at(-1)?.open];
  return (first === 'both' || first === 'start') && (last === 'both' || last === 'end');
}

/** Whether the index has several tokens for them. */
function isPhrase(runs: readonly NeedleRun[]): boolean {
  return runs.length > 1 || runs.some(({ script, text }) => script === 'dense' && text.length > 2);
}

function candidatesOnly(candidates: RankSet): SegmentAnswer {
  return { proven: new Uint8Array(candidates.length), candidates };
}

async function answerOfPhrase(segment: Segment, fields: readonly Field[], runs: readonly NeedleRun[]): Promise<SegmentAnswer> {
  const whole: SegmentAnswer = { proven: emptySet(segment.uids.length), candidates: emptySet(segment.uids.length) };
  const links = needleLinks(runs);
  for (const field of fields) {
    const { proven, candidates } = await messagesWithPhrase({ segment, field, inPieces: async (text) => messagesWithPieces(segment, field, text) }, links);
    unite(whole.proven, proven);
    unite(whole.candidates, candidates);
  }
  return whole;
}

/** The fields of the index in which the question can be answered. */
export function fieldsOf(question: TextQuestion): readonly Field[] {
  if (question.in === 'body') return ['body'];
  if (question.in !== 'header') return ['head', 'body'];
  return [valueFields.find((field) => field === question.name && question.value !== '') ?? 'head'];
}

/** Whether the index keeps what is asked for apart from all else. */
export function isOneField(question: TextQuestion): boolean {
  return question.in !== 'header' || fieldsOf(question)[0] !== 'head';
}

/** Messages in which each run is somewhere; all of them when there is none. */
async function messagesWithAll(segment: Segment, places: readonly Field[], runs: readonly NeedleRun[]): Promise<RankSet> {
  const all = emptySet(segment.uids.length).fill(0xff);
  for (const run of runs) {
    const { proven, candidates } = isPhrase([run]) ? await answerOfPhrase(segment, places, [run]) : await answerOfRun(segment, places, run);
    unite(candidates, proven);
    intersect(all, candidates);
  }
  return all;
}

/** `proven` is right for a needle that is nothing but this run, which is one token. */
async function answerOfRun(segment: Segment, places: readonly Field[], { script, text, open }: NeedleRun): Promise<SegmentAnswer> {
  const proven = emptySet(segment.uids.length);
  const candidates = emptySet(segment.uids.length);
  for (const field of places) {
    const match = script === 'spaced' ? matches[open] : text.length === 1 ? 'holds' : 'is';
    await addMatching(segment, proven, { field, kind: 'word', text, match });
    if (script === 'spaced') unite(text.length > pieceLength ? candidates : proven, await messagesWithPieces(segment, field, text));
  }
  return { proven, candidates };
}

/** Messages of whose runs in pieces one may hold the text. */
async function messagesWithPieces(segment: Segment, field: Field, text: string): Promise<RankSet> {
  if (text.length > pieceLength) return withNeighbours(segment, { field, kind: 'piece' }, neighbours(text, pieceLength));
  const messages = emptySet(segment.uids.length);
  await addMatching(segment, messages, { field, kind: 'piece', text, match: 'holds' });
  return messages;
}

interface Wanted {
  readonly field: Field;
  readonly kind: TokenKind;
  readonly text: string;
  readonly match: Match;
}

/** Adds the messages that have a matching token. */
async function addMatching(segment: Segment, set: RankSet, wanted: Wanted): Promise<void> {
  for (const table of segment.tablesOf(wanted.field, wanted.kind)) {
    await segment.hearLists(listsIn(table, wanted), (list) => addList(list, set));
  }
}

/** Messages that have all these tokens. */
async function withNeighbours(segment: Segment, { field, kind }: Pick<Wanted, 'field' | 'kind'>, tokens: readonly string[]): Promise<RankSet> {
  const nobody = emptySet(segment.uids.length);
  const tables = segment.tablesOf(field, kind);
  const lists: { readonly table: Table; readonly place: ListPlace }[] = [];
  for (const token of tokens) {
    const found = tables.flatMap((table) => listsIn(table, { text: token, match: 'is' }).map((place) => ({ table, place })));
    if (found.length === 0) return nobody;
    lists.push(...found);
  }
  let all: RankSet | undefined;
  for (const { place } of lists.sort((one, other) => length(one.place) - length(other.place)).slice(0, mostNeighbours)) {
    const set = emptySet(segment.uids.length);
    await segment.hearLists([place], (list) => addList(list, set));
    if (all === undefined) all = set;
    else intersect(all, set);
    if (isEmpty(all)) return nobody; // the rest need not be read
  }
  return all ?? nobody;
}

function length({ from, to }: ListPlace): number {
  return to - from;
}

function listsIn(table: Table, wanted: Pick<Wanted, 'text' | 'match'>): ListPlace[] {
  return placesIn(table, wanted).map((index) => table.vocabulary.list(index));
}
