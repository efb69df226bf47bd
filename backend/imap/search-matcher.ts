/** Turns a search key into a test. What the index answers is asked first; messages are read only where nothing else decides. */
import type { SearchKey } from '../../shared/imap/search-keys.ts';
import { flagBits } from './flag-texts.ts';
import { sentDayMs } from './message-text.ts';
import type { MessageRow } from '../storage/storage.ts';
import { fieldsAsked, fuzzyScore, holds, linesHold, searchedText } from '../text-index/text-index.ts';
import type { HeaderQuestion, TextQuestion } from '../text-index/text-index.ts';
import { headValues, keptColumn } from './head-values.ts';
import type { HeadColumn } from './head-values.ts';
import type { Relevance } from './relevance.ts';
import { markTest, marksOf } from './search-marks.ts';
import { isTextKey, questionOf } from './search-plan.ts';
import { resolveRanges } from '../../shared/imap/sequence-set.ts';
import type { SequenceSet } from '../../shared/imap/sequence-set.ts';
import type { Numbered, Numbers, View } from './view.ts';

/** `row`: decided by the index alone, at once. `content`: the message has to be looked at. */
export type Test =
  | { readonly kind: 'row'; readonly matches: (candidate: Numbered) => boolean }
  | { readonly kind: 'content'; readonly cost: number; readonly matches: (candidate: Numbered) => Answer };

/** At once where what is kept of the message suffices. */
type Answer = boolean | Promise<boolean>;

const dayLengthMs = 86_400_000;

/** FUZZY stands at single keys only (see `fuzzyAtLeaves`). Numbers that don't exist match nothing (RFC 7377 section 2: they are no error in any search). */
export function compileSearch(key: SearchKey, view: View, relevance?: Relevance): Test {
  switch (key.key) {
    case 'and':
      return all(testsOf(key.operands, view, relevance));
    case 'or':
      return negate(all([key.left, key.right].map((operand) => negate(compileSearch(operand, view, relevance)))));
    case 'not':
      return negate(compileSearch(key.operand, view, relevance));
    case 'fuzzy':
      return isTextKey(key.operand) ? fuzzyTest(questionOf(key.operand), view, relevance) : compileSearch(key.operand, view, relevance);
    case 'header':
    case 'body':
    case 'text':
      return textTest(questionOf(key), view);
    case 'before':
    case 'on':
    case 'since':
      return dateTest(key, view);
    default:
      return { kind: 'row', matches: rowTest(key, view) };
  }
}

/** What several keys ask of flags and keywords is one test, the first. */
function testsOf(keys: readonly SearchKey[], view: View, relevance: Relevance | undefined): readonly Test[] {
  const asked = keys.map((key) => ({ key, marks: marksOf(key, (keyword) => keywordBit(view, keyword)) }));
  const marks = asked.flatMap((each) => each.marks ?? []);
  const hasMarks = markTest(marks);
  const others = asked.flatMap(({ key, marks }) => (marks === undefined ? [compileSearch(key, view, relevance)] : []));
  return marks.length === 0 ? others : [{ kind: 'row', matches: ({ row }) => hasMarks(row) }, ...others];
}

/** All must match; the cheap ones are tried first. */
function all(tests: readonly Test[]): Test {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  const rows = tests.filter((test) => test.kind === 'row');
  const contents = tests.filter((test) => test.kind === 'content').sort((a, b) => a.cost - b.cost);
  const [first] = rows;
  const rowsMatch = rows.length === 1 && first !== undefined ? first.matches : (candidate: Numbered): boolean => rows.every((test) => test.matches(candidate));
  if (contents.length === 0) return { kind: 'row', matches: rowsMatch };
  return {
    kind: 'content',
    cost: contents.at(-1)?.cost ?? 0,
    matches: (candidate) => rowsMatch(candidate) && contentsMatch(contents, candidate),
  };
}

function contentsMatch(tests: readonly Test[], candidate: Numbered): Answer {
  for (const [index, test] of tests.entries()) {
    const answer = test.matches(candidate);
    if (answer === false) return false;
    if (answer !== true) return answer.then((matches) => matches && contentsMatch(tests.slice(index + 1), candidate));
  }
  return true;
}

function negate(test: Test): Test {
  if (test.kind === 'row') return { kind: 'row', matches: (candidate) => !test.matches(candidate) };
  return { kind: 'content', cost: test.cost, matches: (candidate) => {
    const answer = test.matches(candidate);
    return typeof answer === 'boolean' ? !answer : answer.then((matches) => !matches);
  } };
}

type RowKey = Exclude<SearchKey, { key: 'and' | 'or' | 'not' | 'fuzzy' | 'header' | 'body' | 'text' | 'before' | 'on' | 'since' }>;

function rowTest(key: RowKey, view: View): (candidate: Numbered) => boolean {
  switch (key.key) {
    case 'all':
      return () => true;
    case 'recent':
      return ({ row }) => row.uid >= view.recentFrom;
    case 'flag':
      return ({ row }) => (row.flags & flagBits[key.flag]) !== 0;
    case 'keyword': {
      const bit = keywordBit(view, key.keyword);
      return bit < 0 ? () => false : ({ row }) => ((row.keywords >>> bit) & 1) === 1;
    }
    case 'larger':
      return ({ row }) => row.size > key.bytes;
    case 'smaller':
      return ({ row }) => row.size < key.bytes;
    case 'older':
      return olderThan(key.seconds, 'older');
    case 'younger':
      return olderThan(key.seconds, 'younger');
    case 'modseq':
      return ({ row }) => row.modseq >= key.atLeast;
    case 'emailid':
      return ({ row }) => `M${String(row.messageId)}` === key.id;
    case 'threadid':
      return ({ row }) => `T${String(row.threadId)}` === key.id;
    case 'sequence':
      view.requireNumbering(key.set);
      return inSpans(view, key.set, 'sequence');
    case 'uid':
      return inSpans(view, key.set, 'uid');
  }
}

/** Negative: no message has it. */
function keywordBit(view: View, wanted: string): number {
  return view.mailbox.latest().keywords.findIndex((keyword) => keyword.toLowerCase() === wanted.toLowerCase());
}

/** RFC 5032: both include the moment itself. */
function olderThan(seconds: number, which: 'older' | 'younger'): (candidate: Numbered) => boolean {
  const thenMs = Date.now() - seconds * 1000;
  return which === 'older' ? ({ row }) => row.internalDateMs <= thenMs : ({ row }) => row.internalDateMs >= thenMs;
}

/** The set as it was when the search began: spans are ascending, and so are the candidates. */
function inSpans(view: View, set: SequenceSet, numbers: Numbers): (candidate: Numbered) => boolean {
  const known = numbers === 'uid' || set === 'saved';
  const spans = known ? view.spans(set, numbers) : resolveRanges(set, view.count).map(({ first, last }) => ({ from: first - 1, to: last - 1 }));
  let at = 0;
  return ({ sequence }) => {
    while ((spans[at]?.to ?? Infinity) < sequence - 1) at += 1;
    const span = spans[at];
    return span !== undefined && span.from <= sequence - 1;
  };
}

type DateKey = Extract<SearchKey, { key: 'before' | 'on' | 'since' }>;

function dateTest(key: DateKey, view: View): Test {
  const inTime = (timeMs: number): boolean => {
    if (key.key === 'before') return timeMs < key.dayMs;
    return timeMs >= key.dayMs && (key.key === 'since' || timeMs < key.dayMs + dayLengthMs);
  };
  if (key.date === 'internal') return { kind: 'row', matches: ({ row }) => inTime(row.internalDateMs) };
  if (key.date === 'saved') return { kind: 'row', matches: ({ row }) => inTime(row.savedDateMs) };
  const dayOf = headValues(view, sentDay);
  return { kind: 'content', cost: 1, matches: ({ row }) => inTime(dayOf(row)) };
}

/** No number where there is no day: that is at no time. */
const sentDay: HeadColumn<number> = { name: 'day sent', fields: ['DATE'], of: (_row, header) => (header === undefined ? NaN : sentDayMs(header) ?? NaN) };

/** Tells `relevance` how well messages match. */
function fuzzyTest(question: TextQuestion, view: View, relevance: Relevance | undefined): Test {
  const read = view.mailbox.series();
  return {
    kind: 'content',
    cost: 4,
    matches: async ({ row }) => {
      const message = read(row.uid);
      const score = message === undefined ? 0 : await fuzzyScore(message, question);
      if (score > 0) relevance?.note(row.uid, score);
      return score > 0;
    },
  };
}

/** Messages of which nothing is kept yet, in one transaction; a few that are left in the end cost the next search little. */
const keptAtOnce = 64;

function textTest(question: TextQuestion, view: View): Test {
  const read = view.mailbox.series();
  const look = async ({ row }: Numbered): Promise<boolean> => {
    const message = read(row.uid);
    return message !== undefined && holds(message, question);
  };
  if (question.in !== 'header') return { kind: 'content', cost: 3, matches: look };
  const unkept: MessageRow[] = [];
  const lookAndKeep = async (candidate: Numbered): Promise<boolean> => {
    const matches = await look(candidate);
    if (unkept.push(candidate.row) === keptAtOnce) await view.mailbox.keepFields(unkept.splice(0));
    return matches;
  };
  const choice = fieldsAsked(question);
  const linesOf = choice === undefined ? () => undefined : view.mailbox.headerFields(choice);
  const texts = isOftenAsked(question) ? keptColumn<string>(view, `text of ${question.name}`) : undefined;
  return {
    kind: 'content',
    cost: 2,
    matches: (candidate) => {
      const { row } = candidate;
      const known = texts?.get(row.uid);
      if (known !== undefined) return known.includes(question.value);
      const lines = linesOf(row);
      if (lines === undefined) return lookAndKeep(candidate);
      if (texts === undefined || lines.length > longestKept) return linesHold(lines, question);
      const text = searchedText(lines, question.name);
      texts.add(row.uid, text);
      return text.includes(question.value);
    },
  };
}

const oftenAsked: ReadonlySet<string> = new Set(['subject', 'from', 'to', 'cc']);
/** Characters of a field whose text is kept for the next search: there are headers of many kilobytes. */
const longestKept = 1024;

/** Whether the texts of that field are kept. Those of several fields stand on lines of their own, which nothing that is searched goes beyond. */
function isOftenAsked({ name, value }: HeaderQuestion): boolean {
  return oftenAsked.has(name) && value !== '' && !value.includes('\n');
}
