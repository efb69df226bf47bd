/**
 * Names and passwords of USER and PASS (RFC 6856 section 2.2): UTF-8, and without what SASLprep prohibits (RFC 4013 section 2.3). They are
 * not mapped by it: the same password serves all protocols, and directories compare octets. Pure.
 */
import type { LoginTexts } from './texts.ts';
import { Refusal } from './texts.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Of what RFC 4013 section 2.3 lists: control characters, private use, surrogates, non-characters, and the rest by their code points. */
const prohibited = new RegExp([
  '\\p{Cc}', '\\p{Co}', '\\p{Cs}', '\\p{Noncharacter_Code_Point}',
  '[\\u06dd\\u070f\\u180e\\u200c\\u200d\\u2028\\u2029\\u2060-\\u2063\\u206a-\\u206f\\ufeff\\ufff9-\\ufffd\\u2ff0-\\u2ffb\\u0340\\u0341\\u200e\\u200f\\u202a-\\u202e]',
  '[\\u{1d173}-\\u{1d17a}\\u{e0001}\\u{e0020}-\\u{e007f}]',
].join('|'), 'u');

/** @param argument latin1, as it came. @throws Refusal `bad-input` */
export function readCredential(argument: string, texts: LoginTexts): string {
  if (/^[\x20-\x7e]*$/.test(argument)) return argument;
  let text: string;
  try {
    text = utf8.decode(Buffer.from(argument, 'latin1'));
  } catch (cause) {
    throw new Refusal('bad-input', texts.notUtf8, { cause });
  }
  if (prohibited.test(text)) throw new Refusal('bad-input', texts.forbiddenCharacters);
  return text;
}
