/**
 * The collation i;unicode-casemap (RFC 5051), by which IMAP searches, sorts and threads (I18NLEVEL=1, RFC 5255): each
 * character in its titlecase, then taken apart into what it is composed of (NFKD). Pure.
 */

/**
 * Characters whose titlecase (one character, from UnicodeData.txt) is not what `toUpperCase` makes of them: it follows
 * SpecialCasing.txt as well (ß becomes SS), gives capitals for letters that stand for two (ǆ), and has capitals for
 * Georgian, which knows none in titles.
 */
const exceptional = /[ßŉǄ-ǌǰǱ-ǳΐΰևა-ჺჽ-ჿẖ-ẚὐὒὔὖᾀ-ᾯᾲ-ᾴᾶᾷᾼῂ-ῄῆῇῌῒΐῖῗῢ-ῤῦῧῲ-ῴῶῷῼﬀ-ﬆﬓ-ﬗ]/;
const splitAtExceptional = new RegExp(`(${exceptional.source})`, 'u');

/** Letters that stand for two, in their three forms, the titlecase in the middle. */
const digraphs = ['Ǆǅǆ', 'Ǉǈǉ', 'Ǌǋǌ', 'Ǳǲǳ'];

/** Small Greek letters with a subscript iota that have a capital of one character. */
const withIota = /[ᾀ-ᾇᾐ-ᾗᾠ-ᾧ]/;
const iotaPairs: ReadonlyMap<string, string> = new Map([['ᾳ', 'ᾼ'], ['ῃ', 'ῌ'], ['ῳ', 'ῼ']]);

/** Two texts are the same, and one holds the other, as their casemaps are and do. */
export function casemap(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.toUpperCase();
  if (!exceptional.test(text)) return text.toUpperCase().normalize('NFKD');
  // Every second piece is an exceptional character.
  const pieces = text.split(splitAtExceptional).map((piece, index) => (index % 2 === 0 ? piece.toUpperCase() : exceptionalTitle(piece)));
  return pieces.join('').normalize('NFKD');
}

function exceptionalTitle(letter: string): string {
  const digraph = digraphs.find((letters) => letters.includes(letter));
  if (digraph !== undefined) return digraph.charAt(1);
  if (withIota.test(letter)) return String.fromCharCode(letter.charCodeAt(0) + 8);
  return iotaPairs.get(letter) ?? letter;
}

/** A text whose order among such texts, by JavaScript's `<`, is that of the collation: by UTF-8, which is by code points. */
export function casemapOrder(text: string): string {
  const mapped = casemap(text);
  if (!/[\ud800-\uffff]/.test(mapped)) return mapped;
  // UTF-16 has the halves of characters beyond U+FFFF before U+E000: they change places.
  return mapped.replace(/[\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}
