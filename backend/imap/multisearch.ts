/** ESEARCH: one search in several mailboxes (MULTISEARCH, RFC 7377). */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import { parseMultisearch } from '../../shared/imap/multisearch-arguments.ts';
import type { MultisearchArguments } from '../../shared/imap/multisearch-arguments.ts';
import { formatString } from '../../shared/imap/strings.ts';
import type { Account } from '../storage/storage.ts';
import { accountCommand } from './command.ts';
import { foundOf } from './found-list.ts';
import { formatMailbox } from './mailbox-lines.ts';
import { noUpdate } from './news.ts';
import { refreshRights } from './place.ts';
import { Progress } from './progress.ts';
import { relaySelected } from './relay.ts';
import type { Completion } from './replies.ts';
import { followResults, requireFreshTag } from './search-context.ts';
import { searchAway } from './search-away.ts';
import { sourcesOf } from './search-sources.ts';
import type { SearchSource } from './search-sources.ts';
import { everything, extendedResponse, meantBy } from './search-results.ts';
import { checkCharset, checkCharsetUnnamed, findMessages, forgetSaved, searchTells, tellsModseq } from './search-run.ts';
import type { Session } from './session.ts';
import { View } from './view.ts';

export const multisearch = accountCommand({
  verb: 'ESEARCH',
  parse: (scanner, session) => parseMultisearch(scanner, session.names),
  tells: ({ key }) => searchTells(key, 'uid'),
  run: async ({ session, account }, given) => run(session, account, given),
});

async function run(session: Session, account: Account, given: MultisearchArguments): Promise<Completion> {
  if (given.sources.some(({ kind }) => kind === 'selected')) {
    if (session.state.at === 'away' && given.sources.length === 1) return relaySelected(session);
    await refreshRights(session);
    if (!hasOpenMailbox(session)) throw new Failure('bad-input', 'no mailbox is selected');
  }
  checkUpdate(session, given);
  checkCharsetUnnamed(session, given);
  try {
    checkCharset(given);
    tellsModseq(session, given.key);
    const { sources, away, silent } = await sourcesOf(session, account, given.sources);
    const progress = new Progress(session, away.length > 0 ? 0 : sources.reduce((sum, { messages }) => sum + messages, 0));
    await searchAll(session, sources, { given, progress });
    return await searchAway(session, { away, silent }, { text: given.text, progress });
  } catch (error) {
    if (given.returns?.items.has('SAVE') === true && session.state.at === 'selected') forgetSaved(session.state.view, error);
    throw error;
  }
}

function hasOpenMailbox({ state }: Session): boolean {
  return state.at === 'selected' || state.at === 'away';
}

/** What is kept up to date is the open mailbox (RFC 7377 section 2.2): a guest may have it open where he comes from. */
function checkUpdate(session: Session, { returns }: MultisearchArguments): void {
  if (returns?.items.has('UPDATE') !== true) return;
  if (session.state.at === 'selected') requireFreshTag(session.selected);
  else if (session.state.at !== 'away' && session.guest === undefined) throw new Failure('bad-input', 'no mailbox is selected here');
}

interface Search {
  readonly given: MultisearchArguments;
  readonly progress: Progress;
}

async function searchAll(session: Session, sources: readonly SearchSource[], { given, progress }: Search): Promise<void> {
  const pacer = new Pacer(); // thousands of small mailboxes are long work, too
  for (const source of sources) {
    if (session.abandoned) break;
    const view = openView(session, source);
    if (view === undefined) continue;
    await searchOne(session, { view, ...source }, { given, progress });
    progress.pass(view.count);
    if (session.output.full) await session.output.flush();
    if (pacer.isDue) await pacer.breathe();
  }
}

/** Undefined when it was deleted meanwhile. */
function openView(session: Session, { account, id }: SearchSource): View | undefined {
  const { state } = session;
  if (state.at === 'selected' && state.place.account.id === account.id && state.view.mailbox.id === id) return state.view;
  const mailbox = account.mailboxById(id);
  try {
    const view = mailbox === undefined ? undefined : new View(mailbox, 'read-only', '');
    if (view !== undefined) session.suit(view);
    return view;
  } catch (error) {
    if (isFailure(error, 'mailbox-missing')) return undefined;
    throw error;
  }
}

type Source = SearchSource & { readonly view: View };

/** Says what was found in one mailbox; nothing when that is nothing (RFC 7377 section 2.1). */
async function searchOne(session: Session, { view, name }: Source, { given, progress }: Search): Promise<void> {
  const { key, returns = everything } = given;
  const modseqs = tellsModseq(session, key) ? 'told' : 'untold';
  const messages = await findMessages({ session, view }, key, progress);
  const found = foundOf(messages);
  if (returns.items.has('SAVE')) view.saved = Array.from(meantBy(found, returns).uids);
  const correlator = `TAG ${formatString(session.tag)} MAILBOX ${formatMailbox(session, name)} UIDVALIDITY ${String(view.uidValidity)}`;
  if (returns.items.has('UPDATE') && session.state.at === 'selected' && view === session.state.view) {
    const keyed = messages.map((message) => ({ message, values: [] }));
    if (!followResults(session.selected, { key, numbers: 'uid', criteria: undefined, messages: keyed, fetch: returns.fetch ?? [], correlator })) session.output.line(noUpdate(session.tag));
  }
  const line = messages.length === 0 ? undefined : extendedResponse(correlator, { found, numbers: 'uid', modseqs }, returns);
  if (line !== undefined) session.output.line(`* ${line}`);
}
