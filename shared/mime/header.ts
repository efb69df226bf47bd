/**
 * The grammar of a header section: fields, folding, and values with parameters (RFC 5322 section 2.2, RFC 2045 section 5,
 * RFC 2231). Pure; text is latin1, so that 8-bit bytes of broken mail survive. Nothing here throws.
 */
import { decodeCharset, decodeWords } from './encoded-words.ts';

/** One header field. */
export interface HeaderField {
  /** Lower-case. */
  readonly name: string;
  /** Unfolded, without surrounding white space. */
  readonly value: string;
}

/** A value like that of Content-Type: a word, then `; name=value` pairs. */
export interface ParametrisedValue {
  /** As written, without comments. */
  readonly value: string;
  /** Names lower-case; continuations joined. A value in RFC 2231 coding keeps it, under a name that ends in `*`. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

const maxFields = 2000;
const maxParameters = 100;

/** Takes the folding out of a field's value (RFC 5322 section 2.2.3): line ends before white space vanish. */
export function unfold(value: string): string {
  return value.replace(/\r?\n(?=[ \t])/g, '');
}

/**
 * Splits a header section (latin1 text, line ends CRLF or LF) into its fields, in order. Lines that are no field and
 * continue none are left out, as is what follows the 2000th field.
 */
export function splitFields(section: string): HeaderField[] {
  const fields: HeaderField[] = [];
  let colon = -1; // the next one: searched for once, or a header without any would take quadratic time
  for (let start = 0, end = 0; start < section.length && fields.length < maxFields; start = end) {
    const lineEnd = section.indexOf('\n', start);
    end = endOfField(section, lineEnd);
    if (colon < start) colon = section.indexOf(':', start);
    if (colon === -1) break;
    if (colon >= end) continue;
    const name = section.slice(start, colon).trimEnd();
    if (!isFieldName(name)) continue;
    const value = section.slice(colon + 1, end);
    fields.push({ name: name.toLowerCase(), value: (end === lineEnd + 1 ? value : unfold(value)).trim() });
  }
  return fields;
}

/** The values of fields by name (lower-case), in order where one stands several times. */
export type FieldsByName = ReadonlyMap<string, readonly string[]>;

/** The fields of a header section (latin1) by name: for who asks for many. */
export function fieldsByName(fields: readonly HeaderField[]): FieldsByName {
  const byName = new Map<string, string[]>();
  for (const { name, value } of fields) {
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [value]);
    else known.push(value);
  }
  return byName;
}

/** The value of the first field of that name (lower-case), or undefined. */
export function fieldValue(fields: readonly HeaderField[], name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value;
}

/** Most values: a word, or two with a slash, and at most one parameter without anything special. It is taken apart in one go. */
const simplest = /^([\w.+-]+(?:\/[\w.+-]+)?)(?:; ?([a-z-]+)=(?:"([^"\\]*)"|([\w.+-]+)))?$/i;

/** Reads `value; name=value; …` as of Content-Type and Content-Disposition. Takes whatever it is given. */
export function parseParametrisedValue(text: string): ParametrisedValue {
  const simple = simplest.exec(text);
  if (simple !== null) return { value: simple[1] ?? '', parameters: simple[2] === undefined ? [] : [[simple[2].toLowerCase(), simple[3] ?? simple[4] ?? '']] };
  const lastQuote = text.lastIndexOf('"'); // as the next sign of equality searched for once, or a value of nothing but semicolons would take quadratic time
  const semicolon = endOfItem(text, 0, lastQuote);
  const value = withoutComments(text.slice(0, semicolon)).trim();
  const raw: [string, string][] = [];
  let equals = -1;
  let at = semicolon + 1;
  while (at < text.length && raw.length < maxParameters) {
    const end = endOfItem(text, at, lastQuote);
    if (equals < at) equals = text.indexOf('=', at);
    if (equals === -1) break;
    if (equals < end) {
      const name = withoutComments(text.slice(at, equals)).trim().toLowerCase();
      if (name !== '') raw.push([name, parameterValue(text.slice(equals + 1, end))]);
    }
    at = end + 1;
  }
  return { value, parameters: joinContinuations(raw) };
}

/**
 * The parameter of that name (lower-case, without `*`), decoded to Unicode: RFC 2231 coding, else RFC 2047 words, which
 * many programs put there against the standard. Undefined when absent.
 */
export function decodeParameter(
  parameters: readonly (readonly [string, string])[],
  name: string,
): string | undefined {
  const extended = parameters.find(([candidate]) => candidate === `${name}*`)?.[1];
  if (extended !== undefined) {
    const parts = /^([^']*)'[^']*'(.*)$/s.exec(extended);
    return decodeCharset(percentDecode(parts?.[2] ?? extended), parts?.[1] || 'utf-8');
  }
  const plain = parameters.find(([candidate]) => candidate === name)?.[1];
  return plain === undefined ? undefined : decodeWords(plain);
}

/** Takes comments (RFC 5322 section 3.2.2, nested) out of a text, leaving quoted strings alone. */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let kept = '';
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const escaped = character === '\\' && (quoted || depth > 0);
    if (character === '"' && depth === 0) quoted = !quoted;
    else if (character === '(' && !quoted) depth += 1;
    if (depth === 0) kept += escaped ? text.slice(at, at + 2) : character;
    if (character === ')' && !quoted && depth > 0) depth -= 1;
    if (escaped) at += 1;
  }
  return kept;
}

/** One past the line end of the field's last line. @param firstEnd the line feed of its first line, or -1 */
function endOfField(section: string, firstEnd: number): number {
  for (let lineEnd = firstEnd; lineEnd !== -1; lineEnd = section.indexOf('\n', lineEnd + 1)) {
    const next = section.charCodeAt(lineEnd + 1);
    if (next !== 0x20 && next !== 0x09) return lineEnd + 1;
  }
  return section.length;
}

/** RFC 5322 section 2.2: printable US-ASCII except the colon. */
function isFieldName(name: string): boolean {
  return /^[!-9;-~]+$/.test(name);
}

/** The position of the semicolon, outside of quotes, from `from` on, or the length of the text. @param lastQuote where the last quotation mark is; -1: there is none */
function endOfItem(text: string, from: number, lastQuote: number): number {
  if (lastQuote < from) {
    const found = text.indexOf(';', from);
    return found === -1 ? text.length : found;
  }
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (quoted && character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === ';') return at;
  }
  return text.length;
}

/** A quoted string without quotes and escapes, or the bare text up to a comment (RFC 2045 section 5.1 has one there). */
function parameterValue(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('"')) return withoutComments(trimmed).trim();
  return trimmed.slice(1, indexOfQuote(trimmed)).replace(/\\(.)/gs, '$1');
}

/** The position of the quotation mark that closes the one at the beginning, or the length of the text. */
function indexOfQuote(text: string): number {
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** Joins `name*0`, `name*1*` … (RFC 2231 sections 3 and 4.1) to one parameter, in the place of the first. */
function joinContinuations(raw: readonly [string, string][]): [string, string][] {
  const joined: [string, string][] = [];
  const segments = new Map<string, { readonly place: number; readonly parts: Map<number, [string, boolean]> }>();
  for (const [name, value] of raw) {
    const continuation = /^(.+)\*(\d{1,3})(\*?)$/.exec(name);
    if (continuation === null) {
      joined.push([name, value]);
      continue;
    }
    const base = continuation[1] ?? name;
    let found = segments.get(base);
    if (found === undefined) {
      found = { place: joined.push([base, '']) - 1, parts: new Map() };
      segments.set(base, found);
    }
    found.parts.set(Number(continuation[2]), [value, continuation[3] === '*']);
  }
  for (const [base, { place, parts }] of segments) joined[place] = joinSegments(base, parts);
  return joined;
}

function joinSegments(base: string, parts: Map<number, [string, boolean]>): [string, string] {
  const ordered = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
  const first = ordered[0];
  if (first === undefined || !ordered.some(([, extended]) => extended)) {
    return [base, ordered.map(([value]) => value).join('')];
  }
  const prefix = first[1] ? '' : "''";
  return [`${base}*`, prefix + ordered.map(([value, extended]) => (extended ? value : percentEncode(value))).join('')];
}

/** The bytes of latin1 text as an extended parameter has them (RFC 2231 section 4). */
export function percentEncode(text: string): string {
  return text.replace(/[^\w.~-]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
}

function percentDecode(text: string): Buffer {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}
