/** The arguments of GENURLAUTH, RESETKEY and URLFETCH (RFC 4467 section 9, RFC 5524 section 5). */
import { takeMailbox } from './mailbox-arguments.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

export interface UrlToAuthorise {
  readonly url: string;
  /** In capitals. */
  readonly mechanism: string;
}

/** What of a URL is wanted: its bytes as a string, or items that are named. */
export type UrlItem = 'BODY' | 'BINARY' | 'BODYPARTSTRUCTURE';

export interface UrlToFetch {
  readonly url: string;
  /** Undefined: the old response. */
  readonly items: readonly UrlItem[] | undefined;
}

export interface KeyReset {
  /** Undefined: all. */
  readonly mailbox: string | undefined;
  /** In capitals. */
  readonly mechanisms: readonly string[];
}

/** @throws bad-input */
export function parseUrlsToAuthorise(scanner: Scanner): readonly UrlToAuthorise[] {
  return spaced(scanner, () => {
    const url = scanner.astring();
    scanner.space();
    return { url, mechanism: scanner.word() };
  });
}

/** @throws bad-input */
export function parseUrlsToFetch(scanner: Scanner): readonly UrlToFetch[] {
  return spaced(scanner, () => {
    if (!scanner.accept('(')) return { url: scanner.astring(), items: undefined };
    const url = scanner.astring();
    const items: UrlItem[] = [];
    while (scanner.accept(' ')) items.push(takeItem(scanner));
    scanner.expect(')');
    if (items.includes('BODY') && items.includes('BINARY')) throw malformed('BODY and BINARY exclude each other');
    return { url, items };
  });
}

function takeItem(scanner: Scanner): UrlItem {
  const word = scanner.word();
  if (word !== 'BODY' && word !== 'BINARY' && word !== 'BODYPARTSTRUCTURE') throw malformed(`unknown item ${word}`);
  return word;
}

/** `[mailbox *(SP mechanism)]`. @throws bad-input */
export function parseKeyReset(scanner: Scanner, names: NameEncoding): KeyReset {
  if (scanner.atEnd) return { mailbox: undefined, mechanisms: [] };
  const mailbox = takeMailbox(scanner, names);
  const mechanisms: string[] = [];
  while (scanner.accept(' ')) mechanisms.push(scanner.word());
  return { mailbox, mechanisms };
}

function spaced<Item>(scanner: Scanner, take: () => Item): readonly Item[] {
  const items = [take()];
  while (scanner.accept(' ')) items.push(take());
  return items;
}
