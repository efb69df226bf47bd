/** Rules for names of mailboxes (pure): levels are divided by `/`, text is NFC, the first level `INBOX` in any case is INBOX. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';

const longestNameBytes = 1000;
const mostLevels = 32;

/** The one spelling of a name under which it is kept. Says nothing about whether the name is allowed. */
export function canonicalName(name: string): string {
  const normal = name.normalize('NFC');
  const end = normal.indexOf('/');
  const first = end === -1 ? normal : normal.slice(0, end);
  // By small letters: the capital of a dotless `ı` is `I`.
  return first.toLowerCase() === 'inbox' ? `INBOX${normal.slice(first.length)}` : normal;
}

/** The canonical name, if a mailbox may be called so. Throws `bad-input`. */
export function checkedName(name: string): string {
  const canonical = canonicalName(name);
  const levels = canonical.split('/');
  if (levels.includes('')) throw new Failure('bad-input', 'mailbox name has an empty level');
  if (levels.length > mostLevels) throw new Failure('bad-input', `mailbox name has more than ${mostLevels} levels`);
  if (Buffer.byteLength(canonical) > longestNameBytes) throw new Failure('bad-input', `mailbox name is longer than ${longestNameBytes} bytes`);
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u{10ffff}%*]/u.test(canonical) || !canonical.isWellFormed()) throw new Failure('bad-input', 'mailbox name has forbidden characters');
  return canonical;
}

/** Forbidden in names that are asked for. */
const hiddenMark = '\u007f';

/** A new name that no client can say, for a mailbox that none is to see. */
export function hiddenName(): string {
  return `${hiddenMark}${randomBytes(15).toString('base64url')}`;
}

export function isHidden(name: string): boolean {
  return name.startsWith(hiddenMark);
}

/** The names of the levels above, highest first. */
export function namesAbove(name: string): string[] {
  const levels = name.split('/');
  return levels.slice(1).map((_, index) => levels.slice(0, index + 1).join('/'));
}

/** INBOX first, then by name. */
export function compareNames(one: string, other: string): number {
  if (one === other) return 0;
  if (one === 'INBOX') return -1;
  if (other === 'INBOX') return 1;
  return one < other ? -1 : 1;
}
