/** The arguments of LIST in its basic and extended forms (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440). */
import { isFailure } from '../base/failure.ts';
import { takeEntries } from './metadata-arguments.ts';
import { takeStatusItems } from './mailbox-arguments.ts';
import type { StatusItem } from './mailbox-arguments.ts';
import { decodeMailboxName } from './mailbox-name.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

type SelectOption = 'SUBSCRIBED' | 'REMOTE' | 'RECURSIVEMATCH' | 'SPECIAL-USE';
type ReturnOption = 'SUBSCRIBED' | 'CHILDREN' | 'SPECIAL-USE' | 'MYRIGHTS';

export interface ListArguments {
  readonly reference: string;
  /** Wildcards still in them. */
  readonly patterns: readonly string[];
  readonly select: ReadonlySet<SelectOption>;
  /** `extended`: the client used the syntax of RFC 5258. */
  readonly syntax: 'basic' | 'extended';
  readonly returns: ReadonlySet<ReturnOption>;
  /** STATUS items to be returned for each mailbox; empty for none. */
  readonly status: readonly StatusItem[];
  /** Annotations to be returned for each mailbox (RFC 9590); empty for none. */
  readonly metadata: readonly string[];
}

const mostPatterns = 50;

/** `[(options)] reference patterns [RETURN (options)]`. @throws bad-input */
export function parseList(scanner: Scanner, encoding: NameEncoding): ListArguments {
  const selects = scanner.peek() === '(' ? takeSelectOptions(scanner) : undefined;
  const reference = decodeMailboxName(scanner.astring(), encoding);
  scanner.space();
  const severalPatterns = scanner.peek() === '(';
  const pattern = (): string | undefined => patternOf(scanner.listPattern(), encoding);
  const taken = severalPatterns ? scanner.list(pattern) : [pattern()];
  if (taken.length > mostPatterns) throw malformed('too many patterns');
  const patterns = taken.filter((one) => one !== undefined);
  const returning = scanner.acceptText(' RETURN ') ? takeReturnOptions(scanner) : undefined;
  return {
    reference,
    patterns,
    select: new Set(selects),
    syntax: selects !== undefined || severalPatterns || returning !== undefined ? 'extended' : 'basic',
    returns: new Set(returning?.options),
    status: returning?.status ?? [],
    metadata: returning?.metadata ?? [],
  };
}

/** Undefined for what no name can be like: RFC 9051 section 6.3.9 wants such a pattern ignored. */
function patternOf(bytes: string, encoding: NameEncoding): string | undefined {
  try {
    return decodeMailboxName(bytes, encoding);
  } catch (error) {
    if (isFailure(error, 'bad-input')) return undefined;
    throw error;
  }
}

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

function takeReturnOptions(scanner: Scanner): { readonly options: ReturnOption[]; readonly status: StatusItem[]; readonly metadata: string[] } {
  const options: ReturnOption[] = [];
  const status: StatusItem[] = [];
  const metadata: string[] = [];
  scanner.list(
    () => {
      const word = scanner.word();
      if (word === 'STATUS') {
        scanner.space();
        status.push(...takeStatusItems(scanner));
      } else if (word === 'METADATA') {
        scanner.space();
        metadata.push(...takeEntries(scanner));
      } else if (word === 'SUBSCRIBED' || word === 'CHILDREN' || word === 'SPECIAL-USE' || word === 'MYRIGHTS') options.push(word);
      else throw malformed(`unknown return option ${word}`);
    },
    { mayBeEmpty: 'yes' },
  );
  return { options, status, metadata };
}
