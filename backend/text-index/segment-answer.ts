/** What a segment knows of a question: the messages that certainly hold it, and those that may and must be looked into. */
import { casemap } from '../../shared/mime/casemap.ts';
import { addList, emptySet, intersect, unite } from './posting-list.ts';
import type { RankSet } from './posting-list.ts';
import type { TextQuestion } from './question.ts';
import type { ListPlace, Segment, Table } from './segment-file.ts';
import type { Field, TokenKind } from './segment-format.ts';
import { needleRuns, neighbours, pieceLength } from './tokens.ts';
import type { NeedleRun } from './tokens.ts';
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
  if (only?.open === 'both' && runs.length === 1 && only.text === value && isOneField(question)) return answerOfRun(segment, places, only);
  const needed = question.in === 'header' && !isOneField(question) ? [...runs, ...needleRuns(`${casemap(question.name)}:`)] : runs;
  if (needed.length === 0) return undefined;
  const nobody = emptySet(segment.uids.length);
  return { proven: nobody, candidates: await messagesWithAll(segment, places, needed) };
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

/** Messages in which each run is somewhere. */
async function messagesWithAll(segment: Segment, places: readonly Field[], runs: readonly NeedleRun[]): Promise<RankSet> {
  let all: RankSet | undefined;
  for (const run of runs) {
    const { proven, candidates } = await answerOfRun(segment, places, run);
    unite(candidates, proven);
    if (all === undefined) all = candidates;
    else intersect(all, candidates);
  }
  return all ?? emptySet(segment.uids.length);
}

/** `proven` is right for a needle that is nothing but this run. */
async function answerOfRun(segment: Segment, places: readonly Field[], run: NeedleRun): Promise<SegmentAnswer> {
  const proven = emptySet(segment.uids.length);
  const candidates = emptySet(segment.uids.length);
  for (const field of places) {
    if (run.script === 'dense') {
      if (run.text.length > 2) unite(candidates, await withNeighbours(segment, { field, kind: 'word' }, neighbours(run.text, 2)));
      else await addMatching(segment, proven, { field, kind: 'word', text: run.text, match: run.text.length === 1 ? 'holds' : 'is' });
    } else {
      await addMatching(segment, proven, { field, kind: 'word', text: run.text, match: matches[run.open] });
      if (run.text.length > pieceLength) unite(candidates, await withNeighbours(segment, { field, kind: 'piece' }, neighbours(run.text, pieceLength)));
      else await addMatching(segment, proven, { field, kind: 'piece', text: run.text, match: 'holds' });
    }
  }
  return { proven, candidates };
}

const matches: Readonly<Record<NeedleRun['open'], Match>> = { both: 'holds', start: 'ends', end: 'begins', none: 'is' };

interface Wanted {
  readonly field: Field;
  readonly kind: TokenKind;
  readonly text: string;
  readonly match: Match;
}

/** Adds the messages that have a matching token. */
async function addMatching(segment: Segment, set: RankSet, wanted: Wanted): Promise<void> {
  for (const table of segment.tablesOf(wanted.field, wanted.kind)) {
    const places = placesIn(table, wanted.text, wanted.match);
    await segment.hearLists(places, (list) => addList(list, set));
  }
}

/** Messages that have all these tokens. */
async function withNeighbours(segment: Segment, { field, kind }: Pick<Wanted, 'field' | 'kind'>, tokens: readonly string[]): Promise<RankSet> {
  const nobody = emptySet(segment.uids.length);
  const tables = segment.tablesOf(field, kind);
  const lists: { readonly table: Table; readonly place: ListPlace }[] = [];
  for (const token of tokens) {
    const found = tables.flatMap((table) => placesIn(table, token, 'is').map((place) => ({ table, place })));
    if (found.length === 0) return nobody;
    lists.push(...found);
  }
  let all: RankSet | undefined;
  for (const { place } of lists.sort((one, other) => length(one.place) - length(other.place)).slice(0, mostNeighbours)) {
    const set = emptySet(segment.uids.length);
    await segment.hearLists([place], (list) => addList(list, set));
    if (all === undefined) all = set;
    else intersect(all, set);
  }
  return all ?? nobody;
}

function length({ from, to }: ListPlace): number {
  return to - from;
}

function placesIn({ width, vocabulary }: Table, text: string, match: Match): ListPlace[] {
  if (width === 'narrow' && /[^\u0000-\u00ff]/.test(text)) return [];
  return vocabulary.find(text, match).map((index) => vocabulary.list(index));
}
