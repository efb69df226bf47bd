/** The arguments of FETCH (RFC 9051 section 6.4.5; RFC 7162 for MODSEQ and CHANGEDSINCE; RFC 9394 for PARTIAL; RFC 8474, 8514, 8970 for ids, SAVEDATE, PREVIEW). */
import { takeWindow } from './result-window.ts';
import type { ResultWindow } from './result-window.ts';
import { Scanner, malformed } from './scanner.ts';
import { takeSequenceSet } from './sequence-set.ts';
import type { SequenceSet } from './sequence-set.ts';

/** Items that come from the index alone. */
export type RowItem = 'UID' | 'FLAGS' | 'INTERNALDATE' | 'RFC822.SIZE' | 'MODSEQ' | 'EMAILID' | 'THREADID' | 'SAVEDATE';
/** Items that come from the structure, without reading the body. */
export type StructureItem = 'ENVELOPE' | 'BODY' | 'BODYSTRUCTURE' | 'PREVIEW';

/** Which bytes of a part: the numbers lead to it, empty for the message itself. */
export interface Section {
  readonly part: readonly number[];
  readonly of: 'all' | 'header' | 'text' | 'mime' | HeaderFields;
}

export interface HeaderFields {
  /** In capitals. */
  readonly fields: readonly string[];
  readonly which: 'these' | 'all-but-these';
}

export interface PartialRange {
  readonly offset: number;
  readonly length: number;
}

/** Items that need the message's bytes. `label` is the item's name in the response. */
export type ContentItem = {
  readonly label: string;
  readonly section: Section;
  readonly partial: PartialRange | undefined;
  readonly marksSeen: 'yes' | 'no';
} & ({ readonly kind: 'section' } | { readonly kind: 'binary' } | { readonly kind: 'binary-size' });

export type FetchItem = { readonly kind: 'row'; readonly name: RowItem } | { readonly kind: 'structure'; readonly name: StructureItem } | ContentItem;

interface FetchModifiers {
  readonly changedSince: number | undefined;
  readonly vanished: 'yes' | 'no';
  /** Of the messages of the set; only in UID FETCH. */
  readonly window: ResultWindow | undefined;
}

export interface FetchArguments extends FetchModifiers {
  readonly set: SequenceSet;
  readonly items: readonly FetchItem[];
}

const rowItems: ReadonlySet<string> = new Set<RowItem>(['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'MODSEQ', 'EMAILID', 'THREADID', 'SAVEDATE']);
const structureItems: ReadonlySet<string> = new Set<StructureItem>(['ENVELOPE', 'BODY', 'BODYSTRUCTURE', 'PREVIEW']);
const macros: Readonly<Record<string, readonly string[]>> = {
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};
const largestPartial = 0xffffffff;
const mostItems = 200;

/** `set items [(modifiers)]`. @throws bad-input */
export function parseFetch(scanner: Scanner): FetchArguments {
  const set = takeSequenceSet(scanner);
  scanner.space();
  const items = takeItems(scanner);
  if (items.length > mostItems) throw malformed('too many items');
  const modifiers = scanner.accept(' ') ? takeModifiers(scanner) : noModifiers;
  if (modifiers.vanished === 'yes' && modifiers.changedSince === undefined) throw malformed('VANISHED needs CHANGEDSINCE');
  return { set, items, ...modifiers };
}

const noModifiers: FetchModifiers = { changedSince: undefined, vanished: 'no', window: undefined };

function takeModifiers(scanner: Scanner): FetchModifiers {
  const given = scanner.list((): Partial<FetchModifiers> => {
    const word = scanner.word();
    if (word === 'VANISHED') return { vanished: 'yes' };
    if (word === 'PARTIAL') return { window: takeWindow(scanner) };
    if (word !== 'CHANGEDSINCE') throw malformed('unknown fetch modifier');
    scanner.space();
    return { changedSince: scanner.number() };
  });
  return Object.assign({}, noModifiers, ...given) as FetchModifiers;
}

function takeItems(scanner: Scanner): FetchItem[] {
  if (scanner.peek() === '(') return scanner.list(() => takeItem(scanner, nameOf(scanner)));
  const name = nameOf(scanner);
  return macros[name]?.map((item) => takeItem(scanner, item)) ?? [takeItem(scanner, name)];
}

/** ` (item item …)`, as other commands than FETCH have it. @throws bad-input */
export function takeFetchList(scanner: Scanner): FetchItem[] {
  scanner.space();
  const items = scanner.list(() => takeItem(scanner, nameOf(scanner)));
  if (items.length > mostItems) throw malformed('too many items');
  return items;
}

function nameOf(scanner: Scanner): string {
  return scanner.until(/[^A-Za-z0-9.]/).toUpperCase();
}

function takeItem(scanner: Scanner, name: string): FetchItem {
  if (scanner.peek() === '[') return takeContent(scanner, name);
  if (rowItems.has(name)) return { kind: 'row', name: name as RowItem };
  if (structureItems.has(name)) {
    if (name === 'PREVIEW') skipLazy(scanner);
    return { kind: 'structure', name: name as StructureItem };
  }
  const whole = { kind: 'section', label: name, partial: undefined } as const;
  if (name === 'RFC822') return { ...whole, section: { part: [], of: 'all' }, marksSeen: 'yes' };
  if (name === 'RFC822.HEADER') return { ...whole, section: { part: [], of: 'header' }, marksSeen: 'no' };
  if (name === 'RFC822.TEXT') return { ...whole, section: { part: [], of: 'text' }, marksSeen: 'yes' };
  throw malformed(`unknown fetch item ${name}`);
}

/** PREVIEW (LAZY): ours is computed at delivery, so it is never late (RFC 8970 section 3.1). */
function skipLazy(scanner: Scanner): void {
  scanner.acceptText(' (LAZY)');
}

function takeContent(scanner: Scanner, name: string): ContentItem {
  scanner.expect('[');
  const marksSeen = name.endsWith('.PEEK') || name === 'BINARY.SIZE' ? 'no' : 'yes';
  switch (name) {
    case 'BODY':
    case 'BODY.PEEK': {
      const section = takeSection(scanner);
      const partial = takePartial(scanner);
      return { kind: 'section', label: `BODY[${sectionLabel(section)}]${partialLabel(partial)}`, section, partial, marksSeen };
    }
    case 'BINARY':
    case 'BINARY.PEEK': {
      const section = takeBinarySection(scanner);
      const partial = takePartial(scanner);
      return { kind: 'binary', label: `BINARY[${section.part.join('.')}]${partialLabel(partial)}`, section, partial, marksSeen };
    }
    case 'BINARY.SIZE': {
      const section = takeBinarySection(scanner);
      return { kind: 'binary-size', label: `BINARY.SIZE[${section.part.join('.')}]`, section, partial: undefined, marksSeen };
    }
    default:
      throw malformed(`unknown fetch item ${name}`);
  }
}

function takeBinarySection(scanner: Scanner): Section {
  const { part, rest } = splitPart(scanner.until(/\]/));
  scanner.expect(']');
  if (rest !== '') throw malformed('BINARY takes part numbers only');
  return { part, of: 'all' };
}

/** A section by itself, as it stands between `BODY[` and `]`. @throws bad-input */
export function parseSection(text: string): Section {
  const scanner = new Scanner(`${text}]`);
  const section = takeSection(scanner);
  scanner.end();
  return section;
}

function takeSection(scanner: Scanner): Section {
  const { part, rest } = splitPart(scanner.until(/[\] ]/).toUpperCase());
  const section = { part, of: sectionText(scanner, rest) };
  if (section.of === 'mime' && part.length === 0) throw malformed('MIME needs a part number');
  scanner.expect(']');
  return section;
}

function sectionText(scanner: Scanner, word: string): Section['of'] {
  switch (word) {
    case '':
      return 'all';
    case 'HEADER':
      return 'header';
    case 'TEXT':
      return 'text';
    case 'MIME':
      return 'mime';
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT':
      scanner.space();
      return { fields: scanner.list(() => scanner.astring().toUpperCase()), which: word === 'HEADER.FIELDS' ? 'these' : 'all-but-these' };
    default:
      throw malformed('unknown section');
  }
}

const mostPartNumbers = 100;

/** `1.2.HEADER` → [1, 2], `HEADER`. */
function splitPart(text: string): { readonly part: number[]; readonly rest: string } {
  const numbers = /^[1-9]\d{0,8}(?:\.[1-9]\d{0,8})*(?=\.|$)/.exec(text)?.[0] ?? '';
  const part = numbers === '' ? [] : numbers.split('.').map(Number);
  if (part.length > mostPartNumbers) throw malformed('nested too deeply');
  const rest = text.slice(numbers.length);
  if (part.length > 0 && rest !== '' && !/^\.[A-Z]/.test(rest)) throw malformed('unknown section');
  return { part, rest: part.length > 0 ? rest.slice(1) : rest };
}

function takePartial(scanner: Scanner): PartialRange | undefined {
  if (!scanner.accept('<')) return undefined;
  const offset = scanner.number();
  scanner.expect('.');
  const length = scanner.number();
  scanner.expect('>');
  if (length === 0 || length > largestPartial) throw malformed('malformed partial');
  return { offset, length };
}

function partialLabel(partial: PartialRange | undefined): string {
  return partial === undefined ? '' : `<${String(partial.offset)}>`;
}

function sectionLabel(section: Section): string {
  const words: string[] = section.part.map(String);
  if (typeof section.of === 'object') {
    const fields = section.of.fields.map(fieldName).join(' ');
    words.push(`HEADER.FIELDS${section.of.which === 'these' ? '' : '.NOT'} (${fields})`);
  } else if (section.of !== 'all') words.push(section.of.toUpperCase());
  return words.join('.');
}

/** A response must not break on a field name that came as a strange string. */
function fieldName(name: string): string {
  return /^[^\x00-\x20\x7f-\xff(){%*"\\\]]+$/.test(name) ? name : `"${name.replaceAll(/[^\x20-\x7e]|["\\]/g, '')}"`;
}
