/** Search keys (RFC 9051 section 6.4.4; RFC 5032 WITHIN, RFC 6203 FUZZY, RFC 7162 MODSEQ, RFC 8474 ids, RFC 8514 SAVEDATE). */
import { takeDate } from './dates.ts';
import { takeKeyword } from './flags.ts';
import type { SystemFlag } from './flags.ts';
import { decodeUtf8, malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { takeSequenceSet } from './sequence-set.ts';
import type { SequenceSet } from './sequence-set.ts';

/** What a message must satisfy. Texts are Unicode; `dayMs` is midnight UTC. */
export type SearchKey =
  /** `recent`: \Recent to the session, of which IMAP4rev2 knows nothing. */
  | { readonly key: 'all' | 'recent' }
  | { readonly key: 'and'; readonly operands: readonly SearchKey[] }
  | { readonly key: 'or'; readonly left: SearchKey; readonly right: SearchKey }
  /** `fuzzy`: whatever is like the operand may match as well. */
  | { readonly key: 'not' | 'fuzzy'; readonly operand: SearchKey }
  | { readonly key: 'flag'; readonly flag: SystemFlag }
  | { readonly key: 'keyword'; readonly keyword: string }
  | { readonly key: 'before' | 'on' | 'since'; readonly date: 'internal' | 'sent' | 'saved'; readonly dayMs: number }
  | { readonly key: 'larger' | 'smaller'; readonly bytes: number }
  | { readonly key: 'older' | 'younger'; readonly seconds: number }
  /** `name` in lower case. The empty value means: the field is there. */
  | { readonly key: 'header'; readonly name: string; readonly value: string }
  | { readonly key: 'body' | 'text'; readonly value: string }
  | { readonly key: 'sequence' | 'uid'; readonly set: SequenceSet }
  | { readonly key: 'modseq'; readonly atLeast: number }
  | { readonly key: 'emailid' | 'threadid'; readonly id: string };

const mostKeys = 2000;

/** The charsets whose texts are understood (RFC 5256: both are a must). */
export const searchCharsets: ReadonlySet<string> = new Set(['US-ASCII', 'UTF-8']);

/**
 * @param charset in capitals, undefined when none was named. Texts are read as UTF-8, which US-ASCII is a part of; in other
 * charsets they are not understood, and the caller refuses the command.
 * @throws bad-input, also for texts that are not UTF-8.
 */
export function takeSearchKeys(scanner: Scanner, charset: string | undefined): SearchKey {
  const understood = charset === undefined || searchCharsets.has(charset);
  return takeKeys(scanner, { left: mostKeys, decode: understood ? decodeUtf8 : (bytes) => bytes });
}

/** Whether there is such a key in it, at whatever depth. */
export function contains(key: SearchKey, wanted: SearchKey['key']): boolean {
  return some(key, (each) => each.key === wanted);
}

function some(key: SearchKey, isMeant: (key: SearchKey) => boolean): boolean {
  if (isMeant(key)) return true;
  if (key.key === 'and') return key.operands.some((operand) => some(operand, isMeant));
  if (key.key === 'or') return some(key.left, isMeant) || some(key.right, isMeant);
  return (key.key === 'not' || key.key === 'fuzzy') && some(key.operand, isMeant);
}

/** Whether there are sequence numbers in it; `$` is none. */
export function namesSequences(key: SearchKey): boolean {
  return some(key, (each) => each.key === 'sequence' && each.set !== 'saved');
}

interface Reading {
  /** How many keys may come yet: a client can't make us hold and try endless ones. */
  left: number;
  readonly decode: (bytes: string) => string;
}

function takeKeys(scanner: Scanner, reading: Reading): SearchKey {
  const operands = [takeKey(scanner, reading)];
  while (scanner.accept(' ')) operands.push(takeKey(scanner, reading));
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { key: 'and', operands };
}

function takeKey(scanner: Scanner, reading: Reading): SearchKey {
  countOne(reading);
  if (/[\d*$]/.test(scanner.peek())) return { key: 'sequence', set: takeSequenceSet(scanner) };
  if (scanner.accept('(')) {
    const key = scanner.nested(() => takeKeys(scanner, reading));
    scanner.expect(')');
    return key;
  }
  const word = scanner.word();
  return flagKeys[word] ?? dateKey(word, scanner) ?? textKey(word, scanner, reading) ?? numberKey(word, scanner) ?? combinedKey(word, scanner, reading);
}

function countOne(reading: Reading): void {
  reading.left -= 1;
  if (reading.left < 0) throw malformed('too many search keys');
}

const not = (operand: SearchKey): SearchKey => ({ key: 'not', operand });
const flag = (name: SystemFlag): SearchKey => ({ key: 'flag', flag: name });

/** NEW, OLD and RECENT: RFC 3501 section 6.4.4. After ENABLE IMAP4rev2 nothing is recent, all is old. */
const flagKeys: Readonly<Record<string, SearchKey>> = {
  ALL: { key: 'all' },
  ANSWERED: flag('\\Answered'),
  DELETED: flag('\\Deleted'),
  DRAFT: flag('\\Draft'),
  FLAGGED: flag('\\Flagged'),
  SEEN: flag('\\Seen'),
  UNANSWERED: not(flag('\\Answered')),
  UNDELETED: not(flag('\\Deleted')),
  UNDRAFT: not(flag('\\Draft')),
  UNFLAGGED: not(flag('\\Flagged')),
  UNSEEN: not(flag('\\Seen')),
  NEW: { key: 'and', operands: [{ key: 'recent' }, not(flag('\\Seen'))] },
  RECENT: { key: 'recent' },
  OLD: not({ key: 'recent' }),
  SAVEDATESUPPORTED: { key: 'all' },
};

function dateKey(word: string, scanner: Scanner): SearchKey | undefined {
  const match = /^(SENT|SAVED)?(BEFORE|ON|SINCE)$/.exec(word);
  if (match === null) return undefined;
  scanner.space();
  const date = match[1] === 'SENT' ? 'sent' : match[1] === 'SAVED' ? 'saved' : 'internal';
  const key = match[2] === 'BEFORE' ? 'before' : match[2] === 'ON' ? 'on' : 'since';
  return { key, date, dayMs: takeDate(scanner) };
}

function textKey(word: string, scanner: Scanner, reading: Reading): SearchKey | undefined {
  switch (word) {
    case 'BCC':
    case 'CC':
    case 'FROM':
    case 'SUBJECT':
    case 'TO':
      return { key: 'header', name: word.toLowerCase(), value: takeText(scanner, reading) };
    case 'HEADER': {
      const name = takeText(scanner, reading).toLowerCase();
      return { key: 'header', name, value: takeText(scanner, reading) };
    }
    case 'BODY':
      return { key: 'body', value: takeText(scanner, reading) };
    case 'TEXT':
      return { key: 'text', value: takeText(scanner, reading) };
    default:
      return undefined;
  }
}

function takeText(scanner: Scanner, { decode }: Reading): string {
  scanner.space();
  return decode(scanner.astring());
}

function numberKey(word: string, scanner: Scanner): SearchKey | undefined {
  const number = (): number => {
    scanner.space();
    return scanner.number();
  };
  const positive = (): number => {
    const value = number();
    if (value === 0) throw malformed('expected a number of seconds from 1 on'); // nz-number, RFC 5032 section 3
    return value;
  };
  switch (word) {
    case 'LARGER':
      return { key: 'larger', bytes: number() };
    case 'SMALLER':
      return { key: 'smaller', bytes: number() };
    case 'OLDER':
      return { key: 'older', seconds: positive() };
    case 'YOUNGER':
      return { key: 'younger', seconds: positive() };
    case 'MODSEQ':
      scanner.space();
      skipModseqEntry(scanner);
      return { key: 'modseq', atLeast: scanner.number() };
    default:
      return undefined;
  }
}

/** `MODSEQ "/flags/\\draft" all 620`: we keep one mod-sequence per message, so the entry says nothing (RFC 7162 section 3.1.5). */
function skipModseqEntry(scanner: Scanner): void {
  if (scanner.peek() !== '"') return;
  scanner.string();
  scanner.space();
  if (!['PRIV', 'SHARED', 'ALL'].includes(scanner.word())) throw malformed('malformed MODSEQ');
  scanner.space();
}

function combinedKey(word: string, scanner: Scanner, reading: Reading): SearchKey {
  scanner.space();
  const operand = (): SearchKey => scanner.nested(() => takeKey(scanner, reading));
  switch (word) {
    case 'NOT':
      return not(operand());
    case 'FUZZY':
      return { key: 'fuzzy', operand: operand() };
    case 'OR':
      return anyOf(takeAlternatives(scanner, reading));
    case 'KEYWORD':
      return { key: 'keyword', keyword: takeKeyword(scanner) };
    case 'UNKEYWORD':
      return not({ key: 'keyword', keyword: takeKeyword(scanner) });
    case 'UID':
      return { key: 'uid', set: takeSequenceSet(scanner) };
    case 'EMAILID':
      return { key: 'emailid', id: takeObjectId(scanner) };
    case 'THREADID':
      return { key: 'threadid', id: takeObjectId(scanner) };
    default:
      throw malformed(`unknown search key ${word}`);
  }
}

/** RFC 8474 section 7. */
function takeObjectId(scanner: Scanner): string {
  const id = scanner.astring();
  if (!/^[\w-]{1,255}$/.test(id)) throw malformed('an id has letters, digits, _ and - only');
  return id;
}

/**
 * The alternatives of an OR whose word is read. ORs that are its operands (`OR a OR b c`) add theirs and count as no nesting:
 * programs chain one for each sender of an address book.
 */
function takeAlternatives(scanner: Scanner, reading: Reading): SearchKey[] {
  const found: SearchKey[] = [];
  for (let missing = 2; ; scanner.space()) {
    if (scanner.acceptWord('OR')) {
      countOne(reading);
      missing += 1;
    } else {
      found.push(scanner.nested(() => takeKey(scanner, reading)));
      missing -= 1;
      if (missing === 0) return found;
    }
  }
}

/** Two or more keys as a tree of few levels, since who looks at it goes down by recursion. */
function anyOf(keys: readonly SearchKey[]): SearchKey {
  const [only] = keys;
  if (only !== undefined && keys.length === 1) return only;
  const half = Math.floor(keys.length / 2);
  return { key: 'or', left: anyOf(keys.slice(0, half)), right: anyOf(keys.slice(half)) };
}
