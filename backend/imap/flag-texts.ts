/** Turns flag bits of the storage into the words of the protocol, and back. */
import { systemFlags } from '../../shared/imap/flags.ts';
import type { FlagNames, SystemFlag } from '../../shared/imap/flags.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import { Flag } from '../storage/storage.ts';
import type { MessageRow } from '../storage/storage.ts';
import { flagsWithin } from './flag-rights.ts';

/** The storage's bit of each system flag. */
export const flagBits: Readonly<Record<SystemFlag, number>> = {
  '\\Answered': Flag.Answered,
  '\\Flagged': Flag.Flagged,
  '\\Deleted': Flag.Deleted,
  '\\Seen': Flag.Seen,
  '\\Draft': Flag.Draft,
};

const mostKeywords = 32;

/** The storage's form of flags that a client named. */
export function flagMarks(names: FlagNames | undefined): { readonly flags: number; readonly keywords: readonly string[] } {
  return { flags: (names?.system ?? []).reduce((bits, flag) => bits | flagBits[flag], 0), keywords: names?.keywords ?? [] };
}

/** The words for what a message bears. */
export function flagWords({ flags, keywords }: { readonly flags: number; readonly keywords: readonly string[] }): readonly string[] {
  return [...systemFlags.filter((flag) => (flags & flagBits[flag]) !== 0), ...keywords];
}

/** What was said last of these keywords: an unchanged mailbox has the same list of them each time that it is opened. */
const announcements = new WeakMap<readonly string[], { readonly rights: Rights; readonly lines: readonly string[] }>();

/** Renders flags of one mailbox's rows as one session is told of them; each combination is put together once. */
export class FlagTexts {
  #keywords: readonly string[];
  #told: readonly string[];
  readonly #texts = new Map<number, string>();
  /** Messages with this uid and higher ones are \Recent (RFC 3501 section 2.3.2). */
  recentFrom: number;

  constructor(keywords: readonly string[], recentFrom: number) {
    this.#keywords = keywords;
    this.#told = keywords;
    this.recentFrom = recentFrom;
  }

  get keywords(): readonly string[] {
    return this.#keywords;
  }

  /** Takes up the mailbox's keywords, to which others may have added, or which begin anew since it was empty. */
  learn(keywords: readonly string[]): void {
    if (isSame(keywords, this.#keywords)) return;
    this.#keywords = keywords;
    this.#texts.clear();
  }

  /** The FLAGS and PERMANENTFLAGS responses, when there are keywords that the client has not heard of. */
  untold(rights: Rights): readonly string[] {
    if (isSame(this.#told, this.#keywords)) return [];
    this.#told = this.#keywords;
    return this.announcement(rights);
  }

  /** What SELECT says of flags (RFC 9051 section 6.3.2), of which the user may change some by these rights. */
  announcement(rights: Rights): readonly string[] {
    const known = announcements.get(this.#keywords);
    if (known?.rights === rights) return known.lines;
    const lines = this.#announce(rights);
    announcements.set(this.#keywords, { rights, lines });
    return lines;
  }

  #announce(rights: Rights): readonly string[] {
    const all = [...systemFlags, ...this.#keywords].join(' ');
    const within = flagsWithin(rights) ?? { flags: -1, keywords: 'all' };
    const keywords = within.keywords === 'none' ? [] : [...this.#keywords, ...(this.#keywords.length < mostKeywords ? ['\\*'] : [])];
    const permanent = [...systemFlags.filter((flag) => (flagBits[flag] & within.flags) !== 0), ...keywords].join(' ');
    return [`* FLAGS (${all})`, `* OK [PERMANENTFLAGS (${permanent})] Flags that can be changed`];
  }

  /** `(\Recent \Seen $Forwarded)` */
  of(row: MessageRow): string {
    const isRecent = row.uid >= this.recentFrom;
    const key = (row.keywords >>> 0) * 64 + (isRecent ? 32 : 0) + row.flags;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const keywords = this.#keywords.filter((_, bit) => ((row.keywords >>> bit) & 1) === 1);
    const words = flagWords({ flags: row.flags, keywords });
    const text = `(${(isRecent ? ['\\Recent', ...words] : words).join(' ')})`;
    this.#texts.set(key, text);
    return text;
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((keyword, index) => keyword === other[index]));
}
