/** The arguments of commands on mailboxes: LIST (RFC 5258, 6154, 9051 section 6.3.9), STATUS, SELECT, STORE, COPY and APPEND. */
import { takeDateTime } from './dates.ts';
import { takeFlagList, takeFlags } from './flags.ts';
import type { FlagNames } from './flags.ts';
import { decodeMailboxName } from './mailbox-name.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { Scanner, malformed } from './scanner.ts';
import { takeKnownSet, takeSequenceSet } from './sequence-set.ts';
import type { Range, SequenceSet } from './sequence-set.ts';

/** A mailbox name, also without its closing hierarchy separator (CREATE allows one). @throws bad-input */
export function takeMailbox(scanner: Scanner, encoding: NameEncoding): string {
  return decodeMailboxName(scanner.astring(), encoding);
}

const statusItems = ['MESSAGES', 'RECENT', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'DELETED', 'SIZE', 'HIGHESTMODSEQ', 'MAILBOXID'] as const;
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

export interface ListArguments {
  readonly reference: string;
  /** Wildcards still in them. */
  readonly patterns: readonly string[];
  readonly select: ReadonlySet<'SUBSCRIBED' | 'REMOTE' | 'RECURSIVEMATCH' | 'SPECIAL-USE'>;
  /** `extended`: the client used the syntax of RFC 5258. */
  readonly syntax: 'basic' | 'extended';
  readonly returns: ReadonlySet<'SUBSCRIBED' | 'CHILDREN' | 'SPECIAL-USE'>;
  /** STATUS items to be returned for each mailbox; empty for none. */
  readonly status: readonly StatusItem[];
}

/** `[(options)] reference patterns [RETURN (options)]`. @throws bad-input */
export function parseList(scanner: Scanner, encoding: NameEncoding): ListArguments {
  const selects = scanner.peek() === '(' ? takeSelectOptions(scanner) : undefined;
  const reference = decodeMailboxName(scanner.astring(), encoding);
  scanner.space();
  const extendedPatterns = scanner.peek() === '(';
  const pattern = (): string => decodeMailboxName(scanner.listPattern(), encoding);
  const patterns = extendedPatterns ? scanner.list(pattern) : [pattern()];
  const returns = new Set<'SUBSCRIBED' | 'CHILDREN' | 'SPECIAL-USE'>();
  let status: readonly StatusItem[] = [];
  const withReturn = scanner.acceptText(' RETURN ');
  if (withReturn) {
    scanner.list(
      () => {
        const word = scanner.word();
        if (word === 'STATUS') {
          scanner.space();
          status = takeStatusItems(scanner);
        } else if (word === 'SUBSCRIBED' || word === 'CHILDREN' || word === 'SPECIAL-USE') returns.add(word);
        else throw malformed(`unknown return option ${word}`);
      },
      { mayBeEmpty: 'yes' },
    );
  }
  const syntax = selects !== undefined || extendedPatterns || withReturn ? 'extended' : 'basic';
  return { reference, patterns, select: new Set(selects), syntax, returns, status };
}

type SelectOption = 'SUBSCRIBED' | 'REMOTE' | 'RECURSIVEMATCH' | 'SPECIAL-USE';

function takeSelectOptions(scanner: Scanner): SelectOption[] {
  const options = scanner.list(
    () => {
      const word = scanner.word();
      if (word === 'SUBSCRIBED' || word === 'REMOTE' || word === 'RECURSIVEMATCH' || word === 'SPECIAL-USE') return word;
      throw malformed(`unknown selection option ${word}`);
    },
    { mayBeEmpty: 'yes' },
  );
  scanner.space();
  if (options.includes('RECURSIVEMATCH') && !options.includes('SUBSCRIBED') && !options.includes('SPECIAL-USE')) {
    throw malformed('RECURSIVEMATCH needs another selection option');
  }
  return options;
}

/** What a client that comes back knows of the mailbox (QRESYNC, RFC 7162 section 3.2.5). */
export interface KnownState {
  readonly uidValidity: number;
  readonly modseq: number;
  readonly knownUids: readonly Range[] | undefined;
}

export interface SelectArguments {
  readonly mailbox: string;
  readonly condstore: 'yes' | 'no';
  readonly known: KnownState | undefined;
}

/** `mailbox [(CONDSTORE QRESYNC (…))]`. @throws bad-input */
export function parseSelect(scanner: Scanner, encoding: NameEncoding): SelectArguments {
  const mailbox = takeMailbox(scanner, encoding);
  let condstore: 'yes' | 'no' = 'no';
  let known: KnownState | undefined;
  if (scanner.accept(' ')) {
    scanner.list(() => {
      if (scanner.acceptWord('CONDSTORE')) condstore = 'yes';
      else if (scanner.acceptWord('QRESYNC')) known = takeKnownState(scanner);
      else throw malformed('unknown select parameter');
    });
  }
  return { mailbox, condstore, known };
}

/** `(uidvalidity modseq [known-uids] [(seqs uids)])`; the last is a hint that we don't need. */
function takeKnownState(scanner: Scanner): KnownState {
  scanner.space();
  scanner.expect('(');
  const uidValidity = scanner.number();
  scanner.space();
  const modseq = scanner.number();
  let knownUids: readonly Range[] | undefined;
  if (scanner.accept(' ') && scanner.peek() !== '(') {
    knownUids = takeKnownSet(scanner);
    scanner.accept(' ');
  }
  if (scanner.accept('(')) {
    takeKnownSet(scanner);
    scanner.space();
    takeKnownSet(scanner);
    scanner.expect(')');
  }
  scanner.expect(')');
  return { uidValidity, modseq, knownUids };
}

export interface StoreArguments {
  readonly set: SequenceSet;
  readonly mode: 'add' | 'remove' | 'replace';
  readonly silent: 'yes' | 'no';
  readonly flags: FlagNames;
  readonly unchangedSince: number | undefined;
}

/** `set [(UNCHANGEDSINCE n)] [+|-]FLAGS[.SILENT] flags`. @throws bad-input */
export function parseStore(scanner: Scanner): StoreArguments {
  const set = takeSequenceSet(scanner);
  scanner.space();
  let unchangedSince: number | undefined;
  if (scanner.acceptText('(UNCHANGEDSINCE ')) {
    unchangedSince = scanner.number();
    scanner.expect(')');
    scanner.space();
  }
  const mode = scanner.accept('+') ? 'add' : scanner.accept('-') ? 'remove' : 'replace';
  const word = scanner.word();
  if (word !== 'FLAGS' && word !== 'FLAGS.SILENT') throw malformed(`unknown store item ${word}`);
  scanner.space();
  return { set, mode, silent: word === 'FLAGS' ? 'no' : 'yes', flags: takeFlags(scanner), unchangedSince };
}

/** `set mailbox` of COPY and MOVE. @throws bad-input */
export function parseCopy(scanner: Scanner, encoding: NameEncoding): { readonly set: SequenceSet; readonly mailbox: string } {
  const set = takeSequenceSet(scanner);
  scanner.space();
  return { set, mailbox: takeMailbox(scanner, encoding) };
}

/** With what marks a message is to be appended. */
export interface AppendItem {
  readonly flags: FlagNames | undefined;
  readonly internalDateMs: number | undefined;
}

/** What stands before the first message literal of `tag APPEND mailbox [flags] [date] `, or undefined when this is no such text. */
export function parseAppendStart(text: string, encoding: NameEncoding): { readonly tag: string; readonly mailbox: string; readonly item: AppendItem } | undefined {
  const head = /^([^ ]+) APPEND /i.exec(text);
  if (head?.[1] === undefined || text.includes('\0')) return undefined;
  try {
    const scanner = new Scanner(text.slice(head[0].length));
    const mailbox = takeMailbox(scanner, encoding);
    return { tag: head[1], mailbox, item: takeAppendItem(scanner) };
  } catch {
    // Not yet: the literal may be the mailbox name. If it is nonsense, the whole command is parsed and refused as such.
    return undefined;
  }
}

/** What stands before a further message literal (MULTIAPPEND, RFC 3502). @throws bad-input */
export function parseAppendItem(text: string): AppendItem {
  return takeAppendItem(new Scanner(text));
}

function takeAppendItem(scanner: Scanner): AppendItem {
  scanner.space();
  let flags: FlagNames | undefined;
  let internalDateMs: number | undefined;
  if (scanner.peek() === '(') {
    flags = takeFlagList(scanner);
    scanner.space();
  }
  if (scanner.peek() === '"') {
    internalDateMs = takeDateTime(scanner);
    scanner.space();
  }
  scanner.end();
  return { flags, internalDateMs };
}
