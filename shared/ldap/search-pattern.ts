/**
 * Search patterns such as `(|(mail=%e)(mailLocalAddress=%e))`: parsed as a filter first, and only then is the user's name put
 * into assertion values, so that no name can change what the filter asks.
 */
import { Failure } from '../base/failure.ts';
import { mapFilterValues, parseFilter } from './filter.ts';
import type { Filter } from './filter.ts';

/** Makes the filter for one address; the address needs no escaping. */
export type SearchPattern = (address: string) => Filter;

type Placeholder = 'e' | 'u' | 'd';
type Piece = { readonly literal: string } | { readonly placeholder: Placeholder };

/**
 * Compiles a search pattern. `%e` stands for the whole address, `%u` for its local part, `%d` for its domain, `%%` for a per
 * cent sign. Outer parentheses may be left out: `mail=%e`.
 * @throws Failure('bad-input') that says what is wrong and where.
 */
export function compileSearchPattern(pattern: string): SearchPattern {
  const trimmed = pattern.trim();
  const template = parseFilter(trimmed.startsWith('(') ? trimmed : `(${trimmed})`, readPieces);
  return (address) => {
    const at = address.lastIndexOf('@');
    const values: Record<Placeholder, string> = {
      e: address,
      u: at < 0 ? address : address.slice(0, at),
      d: at < 0 ? '' : address.slice(at + 1),
    };
    return mapFilterValues(template, (pieces) =>
      pieces.map((piece) => ('literal' in piece ? piece.literal : values[piece.placeholder])).join(''));
  };
}

const pieceGrammar = /%(?<placeholder>[eud])|%%|(?<literal>(?:\\[0-9A-Fa-f]{2}|[^%\\])+)/gy;

function readPieces(raw: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of raw.matchAll(pieceGrammar)) {
    const { placeholder, literal } = match.groups ?? {};
    if (placeholder !== undefined) pieces.push({ placeholder: placeholder as Placeholder });
    else pieces.push({ literal: literal === undefined ? '%' : unescapeValue(literal) });
    end = match.index + match[0].length;
  }
  if (end !== raw.length) {
    throw new Failure('bad-input', `search pattern: "${raw.slice(end, end + 3)}" is neither %e, %u, %d or %% nor an escape like \\2a`);
  }
  return pieces;
}

/** Undoes the escapes of RFC 4515 section 3 (`\2a` for `*`); the bytes must be UTF-8. */
function unescapeValue(text: string): string {
  const bytes = text.split(/\\([0-9A-Fa-f]{2})/).map((part, index) =>
    index % 2 === 0 ? Buffer.from(part) : Buffer.from(part, 'hex'));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch (cause) {
    throw new Failure('bad-input', `search pattern: "${text}" is not UTF-8`, { cause });
  }
}
