/** What SEARCH and SORT do alike: look for messages, bring them in order, keep what is to be kept, and answer. */
import { sortPaced } from '../../shared/base/paced-sort.ts';
import type { SearchArguments, SortCriterion } from '../../shared/imap/search-arguments.ts';
import { formatString } from '../../shared/imap/strings.ts';
import type { Selected } from './command.ts';
import { noUpdate } from './news.ts';
import { Progress } from './progress.ts';
import { ok } from './replies.ts';
import type { Completion } from './replies.ts';
import { followResults, requireFreshTag } from './search-context.ts';
import { everything, extendedResponse, meantBy, oldResponse } from './search-results.ts';
import type { Results } from './search-results.ts';
import { checkCharset, checkCharsetUnnamed, findMessages, forgetSaved, tellsModseq } from './search-run.ts';
import { comparison, keyMessages } from './sort-order.ts';
import type { Keyed } from './sort-order.ts';
import type { Numbers } from './view.ts';

interface Manner {
  readonly verb: 'SEARCH' | 'SORT';
  readonly numbers: Numbers;
  /** Undefined: as they stand in the mailbox. */
  readonly criteria: readonly SortCriterion[] | undefined;
}

export async function answerSearch(selected: Selected, given: SearchArguments, manner: Manner): Promise<Completion> {
  const { session, view } = selected;
  const saves = given.returns?.items.has('SAVE') === true;
  const follows = given.returns?.items.has('UPDATE') === true;
  if (manner.verb === 'SEARCH') checkCharsetUnnamed(session, given);
  if (follows) requireFreshTag(selected);
  const modseqs = tellsModseq(session, given.key) ? 'told' : 'untold';
  let messages: readonly Keyed[];
  try {
    checkCharset(given);
    messages = await findInOrder(selected, given, manner);
  } catch (error) {
    if (saves) forgetSaved(view, error);
    throw error;
  }
  const results: Results = { found: messages.map(({ message }) => message), numbers: manner.numbers, modseqs };
  if (saves) view.saved = meantBy(results.found, given.returns).map(({ row }) => row.uid).sort((one, other) => one - other);
  const correlator = `TAG ${formatString(session.tag)}`;
  if (follows && !followResults(selected, { key: given.key, ...manner, messages, correlator, fetch: given.returns?.fetch ?? [] })) session.output.line(noUpdate(session.tag));
  // IMAP4rev2 has no SEARCH response any more (RFC 9051 appendix E); SORT stayed as it is.
  const old = given.returns === undefined && (manner.verb === 'SORT' || !session.isEnabled('IMAP4REV2'));
  const line = old ? oldResponse(manner.verb, results) : extendedResponse(correlator, results, given.returns ?? everything);
  if (line !== undefined) session.output.line(`* ${line}`);
  return ok(`${manner.verb} completed`);
}

async function findInOrder(selected: Selected, given: SearchArguments, { criteria }: Manner): Promise<readonly Keyed[]> {
  const { session, view } = selected;
  const found = await findMessages(selected, given.key, new Progress(session, view.count));
  if (criteria === undefined) return found.map((message) => ({ message, values: [] }));
  return sortPaced(await keyMessages(view, found, criteria), comparison(criteria));
}
