/** Distinguished names (RFC 4514): text to values, values to text, and the normal form by which entries are found (pure). */
import { attributeKey, normaliseValue } from './schema.ts';

/** One attribute and value of a relative name. */
export interface NamePart { readonly attribute: string; readonly value: string }

/** The parts of one level, most have one: `cn=alice`, `cn=alice+uid=a`. */
export type RelativeName = readonly NamePart[];

/** From the entry up to the root; the root itself has no level. */
export type DistinguishedName = readonly RelativeName[];

/** The text is no distinguished name. */
export class NameSyntaxError extends Error {
  override readonly name = 'NameSyntaxError';
}

const attributeGrammar = / *(?<attribute>[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*) *=/y;
// A value ends at a separator that is not escaped; spaces around it don't count unless escaped.
const valueGrammar = / *(?<value>(?:\\(?:[0-9A-Fa-f]{2}|[ "#+,;<=>\\])|[^\\",+;<>\0])*)/y;
const separatorGrammar = /[,;+]|$/y;

/** @throws NameSyntaxError */
export function parseDn(text: string): DistinguishedName {
  if (text.trim() === '') return [];
  const levels: NamePart[][] = [[]];
  let position = 0;
  for (;;) {
    const attribute = take(attributeGrammar, text, position);
    const value = take(valueGrammar, text, attribute.end);
    const separator = take(separatorGrammar, text, value.end);
    levels.at(-1)?.push({ attribute: attribute.text, value: unescapeValue(value.text) });
    if (separator.match === '') return levels;
    if (separator.match !== '+') levels.push([]);
    position = separator.end;
  }
}

/** The text form, with values and attribute names as they were written. */
export function formatDn(name: DistinguishedName): string {
  return name.map(formatRelativeName).join(',');
}

/** The text form of one level. */
export function formatRelativeName(level: RelativeName): string {
  return level.map(({ attribute, value }) => `${attribute}=${escapeValue(value)}`).join('+');
}

/** Equal for names that mean the same entry, by the matching rules of the attributes. */
export function normaliseDn(name: DistinguishedName): string {
  return name.map((level) => level
    .map(({ attribute, value }) => `${attributeKey(attribute)}=${escapeValue(normaliseValue(attribute, value))}`)
    .toSorted().join('+')).join(',');
}

function take(grammar: RegExp, text: string, position: number): { match: string; text: string; end: number } {
  grammar.lastIndex = position;
  const match = grammar.exec(text);
  if (match === null) throw new NameSyntaxError(`not a distinguished name, at character ${String(position + 1)}`);
  const [part] = Object.values(match.groups ?? { all: match[0] });
  return { match: match[0], text: part ?? '', end: position + match[0].length };
}

function unescapeValue(raw: string): string {
  const pieces = raw.match(/\\(?:[0-9A-Fa-f]{2}|.)|[^\\]/gsu) ?? [];
  while (pieces.at(-1) === ' ') pieces.pop(); // an escaped space is a piece of two characters
  const text = pieces.join('');
  if (/^#(?:[0-9A-Fa-f]{2})+$/.test(text)) return unescapeBer(Buffer.from(text.slice(1), 'hex'));
  return Buffer.concat(pieces.map((piece) => {
    if (piece.length === 3) return Buffer.from(piece.slice(1), 'hex');
    return Buffer.from(piece.startsWith('\\') ? piece.slice(1) : piece);
  })).toString('utf8');
}

/** `#04…`: the BER of an octet string or another short string type. */
function unescapeBer(bytes: Buffer): string {
  if (bytes[1] === undefined || bytes[1] !== bytes.length - 2) throw new NameSyntaxError('the value after # is not understood');
  return bytes.subarray(2).toString('utf8');
}

function escapeValue(value: string): string {
  const last = value.length - 1;
  return value.replace(/[\\"+,;<>\0\r\n #]/g, (character, index: number) => {
    if (character === ' ') return index === 0 || index === last ? '\\ ' : ' ';
    if (character === '#') return index === 0 ? '\\#' : '#';
    return character < ' ' ? `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}` : `\\${character}`;
  });
}
