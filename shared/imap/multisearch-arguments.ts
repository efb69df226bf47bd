/** The arguments of ESEARCH, the search in several mailboxes (RFC 7377 section 4). */
import { takeMailboxFilter } from './mailbox-filter.ts';
import type { MailboxFilter } from './mailbox-filter.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { takeProgram, takeReturnOptions, wellAsked } from './search-arguments.ts';
import type { SearchArguments } from './search-arguments.ts';

export interface MultisearchArguments extends SearchArguments {
  /** The selected mailbox when none were named. */
  readonly sources: readonly MailboxFilter[];
  /** What stands behind the sources, for another server that is to search its mailboxes for the same. */
  readonly text: string;
}

/** Each may name many. */
const mostSources = 100;

/** `[IN (sources)] [RETURN (options)] program`. @throws bad-input */
export function parseMultisearch(scanner: Scanner, encoding: NameEncoding): MultisearchArguments {
  const sources = scanner.acceptText('IN ') ? takeSources(scanner, encoding) : [{ kind: 'selected' } as const];
  const text = scanner.rest;
  const returns = scanner.acceptText('RETURN ') ? takeReturnOptions(scanner) : undefined;
  const given = wellAsked({ sources, text, returns, ...takeProgram(scanner) });
  if (returns?.items.has('SAVE') === true && sources.some(({ kind }) => kind !== 'selected')) throw malformed('SAVE is for the selected mailbox alone');
  return given;
}

/** No scope options are known yet (RFC 7377 section 4), so a bracket where one would begin is an error. */
function takeSources(scanner: Scanner, encoding: NameEncoding): MailboxFilter[] {
  const sources = scanner.list(() => takeMailboxFilter(scanner, encoding));
  if (sources.length > mostSources) throw malformed('too many kinds of mailboxes');
  if (sources.some(({ kind }) => kind === 'selected-delayed')) throw malformed('selected-delayed is not for ESEARCH');
  scanner.space();
  return sources;
}
