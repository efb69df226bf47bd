/** What SEARCH and SORT do alike: look for messages, bring them in order, keep what is to be kept, and answer. */
import { sortPaced } from '../../shared/base/paced-sort.ts';
import type { SearchArguments, SortCriterion } from '../../shared/imap/search-arguments.ts';
import { formatString } from '../../shared/imap/strings.ts';
import type { Selected } from './command.ts';
import { foundOf } from './found-list.ts';
import type { FoundList } from './found-list.ts';
import { noUpdate } from './news.ts';
import { Progress, TwoLooks } from './progress.ts';
import { ok } from './replies.ts';
import type { Completion } from './replies.ts';
import { followResults, requireFreshTag } from './search-context.ts';
import { everything, extendedResponse, meantBy, oldResponse } from './search-results.ts';
import type { Results } from './search-results.ts';
import { checkCharset, checkCharsetUnnamed, findMessages, findPlaces, forgetSaved, tellsModseq } from './search-run.ts';
import { comparison, keyMessages } from './sort-order.ts';
import type { Keyed } from './sort-order.ts';
import { inOrder, knownOrder, rememberOrder } from './sort-orders.ts';
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
  let outcome: Outcome;
  try {
    checkCharset(given);
    const numbers = modseqs === 'untold' && !follows ? await findNumbers(selected, given, manner) : undefined;
    outcome = numbers ?? await findInOrder(selected, given, manner);
  } catch (error) {
    if (saves) forgetSaved(view, error);
    throw error;
  }
  const results: Results = { found: outcome.found, numbers: manner.numbers, modseqs };
  if (saves) view.saved = Array.from(meantBy(results.found, given.returns).uids).sort((one, other) => one - other);
  const correlator = `TAG ${formatString(session.tag)}`;
  if (follows && !followResults(selected, { key: given.key, ...manner, messages: outcome.messages, correlator, fetch: given.returns?.fetch ?? [] })) session.output.line(noUpdate(session.tag));
  // IMAP4rev2 has no SEARCH response any more (RFC 9051 appendix E); SORT stayed as it is.
  const old = given.returns === undefined && (manner.verb === 'SORT' || !session.isEnabled('IMAP4REV2'));
  const line = old ? oldResponse(manner.verb, results) : extendedResponse(correlator, results, given.returns ?? everything);
  if (line !== undefined) session.output.line(`* ${line}`);
  return ok(`${manner.verb} completed`);
}

interface Outcome {
  readonly found: FoundList;
  /** None where nobody asks for more than numbers. */
  readonly messages: readonly Keyed[];
}

/** Where no more is asked for; undefined where messages have to be brought in order for it. */
async function findNumbers({ session, view }: Selected, { key }: SearchArguments, { criteria }: Manner): Promise<Outcome | undefined> {
  const order = criteria === undefined ? undefined : knownOrder(view, criteria);
  if (criteria !== undefined && order === undefined) return undefined;
  const found = await findPlaces({ session, view }, key, new Progress(session, view.count));
  return { found: order === undefined ? found : inOrder(found, order), messages: [] };
}

async function findInOrder({ session, view }: Selected, { key }: SearchArguments, { criteria }: Manner): Promise<Outcome> {
  if (criteria === undefined) {
    const found = await findMessages({ session, view }, key, new Progress(session, view.count));
    return { found: foundOf(found), messages: found.map((message) => ({ message, values: [] })) };
  }
  const progress = new TwoLooks(session, view.count);
  const found = await findMessages({ session, view }, key, progress);
  progress.beginSecond(found.length);
  const keyed = await keyMessages(view, found, { criteria, report: async (done) => progress.report(done) });
  const messages = await progress.during(sortPaced(keyed, comparison(criteria)));
  rememberOrder(view, criteria, messages);
  return { found: foundOf(messages.map(({ message }) => message)), messages };
}
