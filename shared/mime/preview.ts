/**
 * The few words of a message that lists show (PREVIEW, RFC 8970): gathers the beginning of the first plain and the first
 * HTML text while the message is scanned, and makes one line of it at the end.
 */
import { decodeParameter } from './header.ts';
import { decodeText } from './text.ts';
import type { Part } from './structure.ts';

/** What the sampler must know of a text part. */
export type TextPart = Pick<Part, 'type' | 'subtype' | 'parameters' | 'encoding'>;

/** Encoded bytes that are looked at; HTML often begins with long style sheets. */
const sampleBytes = { plain: 4 * 1024, html: 32 * 1024 } as const;

/** Characters of a preview (RFC 8970 section 3.1 names 200). */
const previewLength = 200;

const nothing = Buffer.alloc(0);

type Kind = keyof typeof sampleBytes;

interface Sample {
  readonly part: TextPart;
  readonly pieces: Buffer[];
  wanted: number;
}

/** Gathers what the preview is made of. Bytes are copied. */
export class PreviewSampler {
  readonly #samples = new Map<Kind, Sample>();
  #current: Sample | undefined;

  /** A leaf begins; its bytes come next. Any but the first of its kind is passed over. */
  begin(part: TextPart): void {
    this.#current = undefined;
    const kind = kindOf(part);
    if (kind === undefined || this.#samples.has(kind)) return;
    this.#current = { part, pieces: [], wanted: sampleBytes[kind] };
    this.#samples.set(kind, this.#current);
  }

  /** Bytes of the body that `begin` announced. */
  add(bytes: Buffer): void {
    const sample = this.#current;
    if (sample === undefined) return;
    const taken = bytes.subarray(0, sample.wanted);
    if (taken.length === 0) return;
    sample.pieces.push(Buffer.from(taken));
    sample.wanted -= taken.length;
    if (sample.wanted === 0) this.#current = undefined;
  }

  /** The leaf is over. */
  end(): void {
    this.#current = undefined;
  }

  /** The preview: of the plain text if it says anything, else of the HTML; '' when there is neither. */
  text(): string {
    return this.#textOf('plain') || this.#textOf('html');
  }

  #textOf(kind: Kind): string {
    const sample = this.#samples.get(kind);
    if (sample === undefined) return '';
    const charset = decodeParameter(sample.part.parameters, 'charset') ?? '';
    const [only = nothing, ...others] = sample.pieces;
    const text = decodeText(others.length === 0 ? only : Buffer.concat(sample.pieces), sample.part.encoding, charset);
    return oneLine(kind === 'html' ? textOfHtml(text) : text);
  }
}

/** The readable text of an HTML document, roughly: for a list only, never for showing HTML. */
export function textOfHtml(html: string): string {
  return withoutElements(html)
    .replace(/<[^<>]*>?/g, ' ')
    .replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z][a-z0-9]{1,7});/gi, (whole, name: string) => entity(name) ?? whole);
}

function kindOf(part: TextPart): Kind | undefined {
  if (part.type !== 'text') return undefined;
  return part.subtype === 'plain' || part.subtype === 'html' ? part.subtype : undefined;
}

/** Cuts out comments and the elements whose content nobody reads, also when they never end. */
function withoutElements(html: string): string {
  const opening = /<!--|<(style|script|title|head)\b/gi;
  let kept = '';
  let from = 0;
  for (let match = opening.exec(html); match !== null; match = opening.exec(html)) {
    kept += html.slice(from, match.index) + (match[1] === undefined ? '' : ' '); // a comment parts no word
    const closing = match[1] === undefined ? /-->/g : new RegExp(`</${match[1]}[^>]*>?`, 'gi');
    closing.lastIndex = match.index;
    from = closing.exec(html) === null ? html.length : closing.lastIndex;
    opening.lastIndex = from;
  }
  return kept + html.slice(from);
}

/** The characters from U+00A0 to U+00FF, as HTML calls them. */
const latin1Names = `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1
  ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve
  Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml
  igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml`.split(/\s+/);

const entities: ReadonlyMap<string, string> = new Map([
  ...latin1Names.map((name, index): [string, string] => [name, String.fromCharCode(0xa0 + index)]),
  ['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['apos', "'"], ['nbsp', ' '], ['ndash', '–'], ['mdash', '—'],
  ['hellip', '…'], ['rsquo', '’'], ['lsquo', '‘'], ['rdquo', '”'], ['ldquo', '“'], ['bdquo', '„'], ['sbquo', '‚'], ['euro', '€'], ['bull', '•'], ['trade', '™'],
  ['OElig', 'Œ'], ['oelig', 'œ'], ['Scaron', 'Š'], ['scaron', 'š'], ['zwnj', ''], ['zwj', ''], ['shy', ''],
]);

function entity(name: string): string | undefined {
  if (!name.startsWith('#')) return entities.get(name);
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/** So much text is looked at first: mostly enough, and a tenth of what there is. */
const firstLook = 400;

/** White space and control characters collapse; invisible padding and the replacement mark of a cut character go. */
function oneLine(text: string): string {
  for (let looked = firstLook; ; looked *= 8) {
    const line = collapse(text.slice(0, looked));
    const end = endOfPreview(line);
    // Once there is more than is taken: what comes later changes nothing but the last character.
    if (end < line.length || looked >= text.length) return line.slice(0, end).trimEnd();
  }
}

/** Where the characters of a preview end, in well-formed text. */
function endOfPreview(line: string): number {
  let end = 0;
  for (let count = 0; count < previewLength && end < line.length; count += 1) end += (line.charCodeAt(end) & 0xfc00) === 0xd800 ? 2 : 1;
  return end;
}

/** In ASCII what is blank or a control character, but for single spaces: they stay as they are, and most of what is blank is one. */
const blanksOfAscii = /[\x00-\x1f\x7f][\x00-\x20\x7f]*| [\x00-\x20\x7f]+/g;

function collapse(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.replace(blanksOfAscii, ' ').trim();
  return text
    .replace(/[\u200b-\u200f\u2060\ufeff\u034f\u00ad]/g, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/\ufffd$/, '')
    .trim()
    .toWellFormed();
}
