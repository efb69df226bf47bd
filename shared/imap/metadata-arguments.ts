/** The arguments of GETMETADATA and SETMETADATA (RFC 5464 section 5). Names of entries come out in lower case. */
import { takeMailbox } from './mailbox-arguments.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

export interface GetMetadata {
  /** Of the mailbox; empty: the server. */
  readonly name: string;
  readonly entries: readonly string[];
  /** How far below the entries. */
  readonly depth: 0 | 1 | 'infinity';
  /** Longer values are left out. */
  readonly maxSize: number | undefined;
}

export interface SetMetadata {
  readonly name: string;
  /** The bytes of each value, one character each; undefined removes. */
  readonly values: ReadonlyMap<string, string | undefined>;
}

const mostEntries = 200;
const longestEntry = 200;

/** `[(options)] mailbox entries`; options may also stand behind the mailbox, as the examples of the RFC have them. @throws bad-input */
export function parseGetMetadata(scanner: Scanner, encoding: NameEncoding): GetMetadata {
  const options = new Map<string, string>();
  const takeOptions = (): void => {
    for (const [name, value] of scanner.list(() => takeOption(scanner))) options.set(name, value);
    scanner.space();
  };
  if (scanner.peek() === '(') takeOptions();
  const name = takeMailbox(scanner, encoding);
  scanner.space();
  if (scanner.acceptsAhead(/\((?:MAXSIZE|DEPTH) /i)) takeOptions();
  const entries = takeEntries(scanner);
  const maxSize = options.get('MAXSIZE');
  return { name, entries, depth: depthOf(options.get('DEPTH') ?? '0'), maxSize: maxSize === undefined ? undefined : Number(maxSize) };
}

function takeOption(scanner: Scanner): [name: string, value: string] {
  const name = scanner.word();
  scanner.space();
  if (name === 'MAXSIZE') return [name, String(scanner.number())];
  if (name !== 'DEPTH') throw malformed('unknown option of GETMETADATA');
  return [name, scanner.word()];
}

function depthOf(text: string): GetMetadata['depth'] {
  if (text === '0') return 0;
  if (text === '1') return 1;
  if (text === 'INFINITY') return 'infinity';
  throw malformed('DEPTH is 0, 1 or infinity');
}

/** One entry, several, or a list of them; also a level above entries. @throws bad-input */
export function takeEntries(scanner: Scanner): readonly string[] {
  let entries: string[];
  if (scanner.peek() === '(') entries = scanner.list(() => takeEntry(scanner, 'or level'));
  else {
    entries = [takeEntry(scanner, 'or level')];
    while (scanner.accept(' ')) entries.push(takeEntry(scanner, 'or level'));
  }
  if (entries.length > mostEntries) throw malformed('too many entries');
  return [...new Set(entries)];
}

/** `mailbox (entry value …)`. @throws bad-input */
export function parseSetMetadata(scanner: Scanner, encoding: NameEncoding): SetMetadata {
  const name = takeMailbox(scanner, encoding);
  scanner.space();
  const values = new Map<string, string | undefined>();
  scanner.list(() => {
    const entry = takeEntry(scanner, 'only');
    scanner.space();
    values.set(entry, scanner.value());
    if (values.size > mostEntries) throw malformed('too many entries');
  });
  return { name, values };
}

function takeEntry(scanner: Scanner, what: 'only' | 'or level'): string {
  const entry = scanner.astring().toLowerCase();
  if (!isPath(entry) || (what === 'only' && !isEntryName(entry))) throw malformed('the name of an entry begins with /private/ or /shared/, and has no *, %, // or / at its end');
  return entry;
}

function isPath(entry: string): boolean {
  return entry.length <= longestEntry && /^\/(?:private|shared)(?:\/|$)/.test(entry) && !/[^\x20-\x7e]|[*%]|\/\/|\/$/.test(entry);
}

/** RFC 5464 section 3.2: two components at least, four below `vendor`. */
function isEntryName(entry: string): boolean {
  const [, , first, ...more] = entry.split('/');
  return first !== undefined && (first !== 'vendor' || more.length >= 2);
}

/** Whether `entry` is the one that was asked for, or below it as far as `depth` allows (RFC 5464 section 4.2.2). */
export function isWithin(entry: string, asked: string, depth: GetMetadata['depth']): boolean {
  if (entry === asked) return true;
  if (depth === 0 || !entry.startsWith(`${asked}/`)) return false;
  return depth === 'infinity' || !entry.slice(asked.length + 1).includes('/');
}
