/** The arguments of APPEND up to a message literal (RFC 9051 section 6.3.12, RFC 3502). */
import { takeDateTime } from './dates.ts';
import { takeFlagList } from './flags.ts';
import type { FlagNames } from './flags.ts';
import { takeMailbox } from './mailbox-arguments.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { Scanner } from './scanner.ts';

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
