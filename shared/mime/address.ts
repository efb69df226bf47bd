/**
 * Address lists of header fields (RFC 5322 section 3.4 and its obsolete forms) as IMAP's ENVELOPE wants them. Pure: takes
 * whatever stands in the field, in linear time, and never throws.
 */
import { withoutComments } from './header.ts';
import type { EnvelopeAddress } from './structure.ts';

/** A piece of the field: a special character, or a word with what it was written as. */
type Token =
  | { readonly kind: 'special'; readonly text: string }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string; readonly raw: string; readonly spaced: 'yes' | 'no' };

type Word = Extract<Token, { kind: 'word' }>;

/** Addresses read of one field. */
const maxAddresses = 4096;

/** Most addresses have nothing special: `"Name" <local@domain>`, `Some Name <local@domain>` or `local@domain`. Such a one is taken apart in one go, with the comma behind it. */
const simplest = /(?:(?:(?:"([^"\\]+)"|([\w!#$%&'*+\-/=?^`{|}~.]+(?: [\w!#$%&'*+\-/=?^`{|}~.]+)*)) )?<([\w!#$%&'*+\-/=?^`{|}~.]+)@([\w.-]+)>|([\w!#$%&'*+\-/=?^`{|}~.]+)@([\w.-]+))(?:$|,\s*)/y;

const groupEnd: EnvelopeAddress = { name: undefined, route: undefined, mailbox: undefined, host: undefined };

/**
 * Reads an address list. Encoded words stay as they are. An address without a domain has host ''. A group stands between
 * {mailbox: its name, host: undefined} and an entry where all is undefined.
 * @param raw latin1, unfolded.
 */
export function parseAddressList(raw: string): EnvelopeAddress[] {
  return simpleList(raw) ?? anyList(raw);
}

/** A list of the simplest addresses; undefined where one is not. */
function simpleList(raw: string): EnvelopeAddress[] | undefined {
  const found: EnvelopeAddress[] = [];
  for (let at = 0; at < raw.length && found.length < maxAddresses; at = simplest.lastIndex) {
    simplest.lastIndex = at;
    const simple = simplest.exec(raw);
    if (simple === null) return undefined;
    found.push({ name: simple[1] ?? simple[2], route: undefined, mailbox: simple[3] ?? simple[5] ?? '', host: simple[4] ?? simple[6] ?? '' });
  }
  return found;
}

function anyList(raw: string): EnvelopeAddress[] {
  const found: EnvelopeAddress[] = [];
  let inGroup = false;
  let words: Word[] = [];
  let comment: string | undefined;
  let angle: string | undefined;
  const flush = (): void => {
    const address = angle === undefined ? bareAddress(words, comment) : angleAddress(angle, words, comment);
    if (address !== undefined) found.push(address);
    words = [];
    comment = undefined;
    angle = undefined;
  };
  for (const token of tokens(raw)) {
    if (found.length >= maxAddresses) break;
    if (token.kind === 'word') words.push(token);
    else if (token.kind === 'comment') comment = token.text;
    else if (token.text.startsWith('<')) angle = token.text.slice(1);
    else if (token.text === ':' && !inGroup && angle === undefined) {
      found.push({ ...groupEnd, mailbox: phrase(words) });
      inGroup = true;
      words = [];
      comment = undefined;
    } else if (token.text !== ':') {
      flush();
      if (token.text === ';' && inGroup) {
        found.push(groupEnd);
        inGroup = false;
      }
    }
  }
  flush();
  if (inGroup) found.push(groupEnd);
  return found;
}

function* tokens(raw: string): Generator<Token> {
  let at = 0;
  let spaced: 'yes' | 'no' = 'yes';
  // Once a bracket was found never to close, later ones aren't searched for: keeps the time linear.
  let bracketsClose = true;
  while (at < raw.length) {
    const character = raw.charAt(at);
    if (/\s/.test(character)) {
      spaced = 'yes';
      at += 1;
      continue;
    }
    let end: number;
    if (character === '<') {
      end = bracketsClose ? endOfAngle(raw, at) : -1;
      bracketsClose = end !== -1;
      if (end === -1) end = endOfBroken(raw, at);
    } else {
      end = endOfToken(raw, at);
    }
    const text = raw.slice(at, end);
    if (character === '(') yield { kind: 'comment', text: unquote(text, 1, ')') };
    else if (character === '<') yield { kind: 'special', text: text.replace(/>$/, '') };
    else if (/[,;:]/.test(character)) yield { kind: 'special', text };
    else if (character !== '>') {
      yield { kind: 'word', raw: text, text: character === '"' ? unquote(text, 1, '"') : text, spaced };
    }
    spaced = 'no';
    at = end;
  }
}

/** One past the token that begins at `at`; not for '<'. */
function endOfToken(raw: string, at: number): number {
  const character = raw.charAt(at);
  if (character === '"') return endOfQuoted(raw, at);
  if (character === '(') return endOfComment(raw, at);
  if (/[,;:>]/.test(character)) return at + 1;
  // A domain literal may hold colons: [IPv6:::1].
  if (character === '[') {
    const closing = /[\]\s,<]/g;
    closing.lastIndex = at;
    const match = closing.exec(raw);
    return match === null ? raw.length : match.index + (match[0] === ']' ? 1 : 0);
  }
  const stop = /[\s,;:<>("[]/g;
  stop.lastIndex = at + 1;
  return stop.exec(raw)?.index ?? raw.length;
}

function endOfQuoted(raw: string, start: number): number {
  for (let at = start + 1; at < raw.length; at += 1) {
    if (raw[at] === '\\') at += 1;
    else if (raw[at] === '"') return at + 1;
  }
  return raw.length;
}

function endOfComment(raw: string, start: number): number {
  let depth = 0;
  for (let at = start; at < raw.length; at += 1) {
    if (raw[at] === '\\') at += 1;
    else if (raw[at] === '(') depth += 1;
    else if (raw[at] === ')') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return raw.length;
}

/** One past the closing bracket, or -1. */
function endOfAngle(raw: string, start: number): number {
  for (let at = start + 1; at < raw.length; at += 1) {
    if (raw[at] === '"') at = endOfQuoted(raw, at) - 1;
    else if (raw[at] === '>') return at + 1;
  }
  return -1;
}

/** The end of an address whose bracket never closes: the next comma, so that it doesn't swallow the others. */
function endOfBroken(raw: string, start: number): number {
  const comma = raw.indexOf(',', start);
  return comma === -1 ? raw.length : comma;
}

/** Takes off the first character, the closing one if there, and the escapes. */
function unquote(text: string, from: number, closing: string): string {
  const inner = text.endsWith(closing) && text.length > from ? text.slice(from, -1) : text.slice(from);
  return inner.replace(/\\(.)/gs, '$1');
}

function phrase(words: readonly Word[]): string {
  return words.map((word, index) => (index > 0 && word.spaced === 'yes' ? ' ' : '') + word.text).join('');
}

/** `Name <@route:local@domain>` (RFC 5322 sections 3.4 and 4.4). */
function angleAddress(angle: string, words: readonly Word[], comment: string | undefined): EnvelopeAddress {
  const name = phrase(words) || comment;
  const routed = /^\s*(@[^:]*):(.*)$/s.exec(angle);
  return { name, route: routed?.[1], ...splitAddress(withoutComments(routed?.[2] ?? angle)) };
}

/** `local@domain (name)`; words before the one with the `@` are taken for a name whose brackets were forgotten. */
function bareAddress(words: readonly Word[], comment: string | undefined): EnvelopeAddress | undefined {
  if (words.length === 0) return undefined;
  let begin = words.length - 1;
  while (begin > 0 && belongsToNext(words, begin)) begin -= 1;
  const written = words.slice(begin).map((word) => word.raw).join('');
  if (!written.includes('@')) return { name: comment, route: undefined, mailbox: phrase(words), host: '' };
  return { name: phrase(words.slice(0, begin)) || comment, route: undefined, ...splitAddress(written) };
}

/** True when the word before `index` is part of the same address: nothing between, or white space around `@` or `.` (obsolete form). */
function belongsToNext(words: readonly Word[], index: number): boolean {
  const word = words[index];
  const before = words[index - 1];
  if (word === undefined || before === undefined) return false;
  return word.spaced === 'no' || /^[@.]/.test(word.raw) || /[@.]$/.test(before.raw);
}

function splitAddress(written: string): { mailbox: string; host: string } {
  const at = written.lastIndexOf('@');
  const local = (at === -1 ? written : written.slice(0, at)).trim();
  const host = at === -1 ? '' : written.slice(at + 1).replace(/\s+/g, '');
  // White space around dots (obsolete form). A pattern for it would take quadratic time for white space without a dot.
  const mailbox = local.startsWith('"') ? unquote(local, 1, '"') : local.split('.').map((word) => word.trim()).join('.');
  return { mailbox, host };
}
