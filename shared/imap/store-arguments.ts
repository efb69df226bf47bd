/** The arguments of STORE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3), COPY and MOVE. */
import { takeFlags } from './flags.ts';
import type { FlagNames } from './flags.ts';
import { takeMailbox } from './mailbox-arguments.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { takeSequenceSet } from './sequence-set.ts';
import type { SequenceSet } from './sequence-set.ts';

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
