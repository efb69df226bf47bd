/** Arguments of commands on one mailbox: its name, STATUS items, SELECT with its parameters (RFC 9051 section 6.3, RFC 7162). */
import { decodeMailboxName } from './mailbox-name.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { largestNumber, takeKnownSet } from './sequence-set.ts';
import type { Range } from './sequence-set.ts';

/** A mailbox name. @throws bad-input */
export function takeMailbox(scanner: Scanner, encoding: NameEncoding): string {
  return decodeMailboxName(scanner.astring(), encoding);
}

/** A mailbox that the client may have called by another spelling than the one that counts (RFC 9051 section 6.3.9.7). */
export interface SpelledMailbox {
  readonly mailbox: string;
  /** Undefined when it is the same. */
  readonly spelled: string | undefined;
}

/** A mailbox name, and how it was spelled. Only UTF-8 has several spellings of a name. @throws bad-input */
export function takeSpelledMailbox(scanner: Scanner, encoding: NameEncoding): SpelledMailbox {
  const bytes = scanner.astring();
  const mailbox = decodeMailboxName(bytes, encoding);
  const spelled = encoding === 'utf-8' ? Buffer.from(bytes, 'latin1').toString('utf8') : mailbox;
  return { mailbox, spelled: spelled === mailbox ? undefined : spelled };
}

const statusItems = ['MESSAGES', 'RECENT', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'DELETED', 'SIZE', 'HIGHESTMODSEQ', 'MAILBOXID', 'DELETED-STORAGE', 'APPENDLIMIT'] as const;
export type StatusItem = (typeof statusItems)[number];

/** `(MESSAGES UNSEEN …)`. @throws bad-input */
export function takeStatusItems(scanner: Scanner): StatusItem[] {
  return scanner.list(() => {
    const word = scanner.word();
    const item = statusItems.find((name) => name === word);
    if (item === undefined) throw malformed(`unknown status item ${word}`);
    return item;
  });
}

const mostUses = 20;

/** `mailbox [(USE (\Sent …))]` of CREATE (RFC 6154 section 3). @throws bad-input */
export function parseCreate(scanner: Scanner, encoding: NameEncoding): SpelledMailbox & { readonly specialUses: readonly string[] } {
  const named = takeSpelledMailbox(scanner, encoding);
  const specialUses: string[] = [];
  if (scanner.accept(' ')) {
    scanner.list(() => {
      if (!scanner.acceptWord('USE')) throw malformed('unknown parameter of CREATE');
      scanner.space();
      specialUses.push(...scanner.list(() => takeUse(scanner), { mayBeEmpty: 'yes' }));
    });
  }
  if (specialUses.length > mostUses) throw malformed('too many uses');
  return { ...named, specialUses };
}

function takeUse(scanner: Scanner): string {
  scanner.expect('\\');
  return `\\${scanner.atom()}`;
}

/** What a client that comes back knows of the mailbox (QRESYNC, RFC 7162 section 3.2.5). */
export interface KnownState {
  readonly uidValidity: number;
  readonly modseq: number;
  readonly knownUids: readonly Range[] | undefined;
  /** Whether it told sequence numbers and uids that belong together: a hint that we don't need. */
  readonly pairs: 'given' | 'none';
}

export interface SelectArguments extends SpelledMailbox {
  readonly condstore: 'yes' | 'no';
  readonly known: KnownState | undefined;
}

/** `mailbox [(CONDSTORE QRESYNC (…))]`. @throws bad-input */
export function parseSelect(scanner: Scanner, encoding: NameEncoding): SelectArguments {
  const named = takeSpelledMailbox(scanner, encoding);
  let condstore: 'yes' | 'no' = 'no';
  let known: KnownState | undefined;
  if (scanner.accept(' ')) {
    scanner.list(() => {
      if (scanner.acceptWord('CONDSTORE')) condstore = 'yes';
      else if (scanner.acceptWord('QRESYNC')) known = takeKnownState(scanner);
      else throw malformed('unknown select parameter');
    });
  }
  return { ...named, condstore, known };
}

/** `(uidvalidity modseq [known-uids] [(seqs uids)])` */
function takeKnownState(scanner: Scanner): KnownState {
  scanner.space();
  scanner.expect('(');
  const uidValidity = scanner.number();
  if (uidValidity === 0 || uidValidity > largestNumber) throw malformed('a UIDVALIDITY is a number from 1 on'); // nz-number (RFC 7162 section 7)
  scanner.space();
  const modseq = scanner.number();
  let knownUids: readonly Range[] | undefined;
  if (scanner.accept(' ') && scanner.peek() !== '(') {
    knownUids = takeKnownSet(scanner);
    scanner.accept(' ');
  }
  const pairs = scanner.accept('(') ? 'given' : 'none';
  if (pairs === 'given') {
    takeKnownSet(scanner);
    scanner.space();
    takeKnownSet(scanner);
    scanner.expect(')');
  }
  scanner.expect(')');
  return { uidValidity, modseq, knownUids, pairs };
}
