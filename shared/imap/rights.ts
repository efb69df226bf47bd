/** Rights on mailboxes as RFC 4314 writes them: one letter each, with the old `c` and `d`, which stand for several. Pure. */
import { decodeUtf8, malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

/** Letters in the order of `allRights`, each once: `lrs`. Empty: none. */
export type Rights = string;

/** Everything that can be granted (RFC 4314 section 2.1), in the order in which we write it. */
export const allRights: Rights = 'lrswipkxtea';
/** What each of them lets do, for people. */
export const rightMeanings: Readonly<Record<string, string>> = {
  l: 'see the folder', r: 'read it', s: 'mark messages read and unread, for everybody', w: 'set and clear other flags', i: 'add messages', p: 'send mail to it',
  k: 'make folders below', x: 'delete or rename it', t: 'mark messages deleted', e: 'expunge', a: 'administer: grant rights',
};

/** What the old letters of RFC 2086 stand for (RFC 4314 section 2.1.1). */
const obsolete: Readonly<Record<string, string>> = { c: 'kx', d: 'te' };

/** Rights of a command, also the old ones. @throws bad-input for letters that are none, or not in lower case */
export function parseRights(text: string): Rights {
  let letters = '';
  for (const letter of text) {
    const meant = obsolete[letter] ?? letter;
    if (meant === letter && !allRights.includes(letter)) throw malformed(`${/[A-Z]/.test(letter) ? 'rights are lower-case letters' : 'there is no such right'}: ${letter}`);
    letters += meant;
  }
  return normalRights(letters);
}

/** Each letter once, in order; what is no right is left out. */
export function normalRights(letters: string): Rights {
  return [...allRights].filter((letter) => letters.includes(letter)).join('');
}

export function withRights(rights: Rights, more: Rights): Rights {
  return normalRights(rights + more);
}

export function withoutRights(rights: Rights, less: Rights): Rights {
  return [...rights].filter((letter) => !less.includes(letter)).join('');
}

/** As responses have them: with `c` and `d` where a part of either is granted (RFC 4314 section 2.1.1). */
export function formatRights(rights: Rights): string {
  const old = Object.entries(obsolete).flatMap(([letter, parts]) => ([...parts].some((part) => rights.includes(part)) ? [letter] : []));
  return rights + old.join('');
}

/** How SETACL changes what an identifier has (RFC 4314 section 3.1). */
export interface RightsChange {
  readonly mode: 'replace' | 'add' | 'remove';
  readonly rights: Rights;
}

export function parseRightsChange(text: string): RightsChange {
  if (text.startsWith('+')) return { mode: 'add', rights: parseRights(text.slice(1)) };
  if (text.startsWith('-')) return { mode: 'remove', rights: parseRights(text.slice(1)) };
  return { mode: 'replace', rights: parseRights(text) };
}

export function changedRights(before: Rights, { mode, rights }: RightsChange): Rights {
  if (mode === 'replace') return rights;
  return mode === 'add' ? withRights(before, rights) : withoutRights(before, rights);
}

const longestIdentifierBytes = 320;

/** An access identifier, which is UTF-8. @throws bad-input */
export function takeIdentifier(scanner: Scanner): string {
  const identifier = decodeUtf8(scanner.astring()).normalize('NFC');
  if (identifier === '' || Buffer.byteLength(identifier) > longestIdentifierBytes || /[\u0000-\u001f\u007f-\u009f]/.test(identifier)) throw malformed('that is no identifier');
  return identifier;
}
