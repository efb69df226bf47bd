/** Tells the client what happened in the open mailbox (RFC 9051 section 5.2; VANISHED: RFC 7162 section 3.2.10). */
import type { FetchItem } from '../../shared/imap/fetch-items.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import { formatString } from '../../shared/imap/strings.ts';
import type { Telling } from './command.ts';
import { tellRecent } from './recent.ts';
import type { Session } from './session.ts';
import type { Follower, News, Numbered, View } from './view.ts';

/** Adds the responses for everything new to the session's output; undefined where nothing had to be waited for. @throws mailbox-missing */
export function tellNews(session: Session, view: View, mode: Telling): Promise<void> | undefined {
  const { messages, flags, fetch } = session.accountNews.selected;
  if (messages === 'nothing' && mode !== 'removals') return undefined;
  const news = view.refresh(mode === 'no-expunges' ? mode : 'everything');
  tellKeywords(session, view);
  if (news.vanished.length > 0) for (const follower of view.followers.values()) tellLine(session, follower.withdraw(news.vanished));
  if (news.expunged.length > 0 && (session.isEnabled('QRESYNC') || session.isEnabled('UIDONLY'))) {
    session.output.line(`* VANISHED ${formatSet(news.expunged.map(({ uid }) => uid))}`);
  } else {
    // From the highest down: no number shifts before it is told.
    for (const { sequence } of news.expunged.toReversed()) session.output.line(`* ${String(sequence)} EXPUNGE`);
  }
  if (news.exists !== undefined) session.output.line(`* ${String(news.exists)} EXISTS`);
  if (news.exists !== undefined || news.expunged.length > 0) tellRecent(session, view);
  describe(view, news.arrived, fetch);
  if (flags === 'told') for (const { sequence, row } of news.changed) session.output.line(flagsResponse(session, view, { sequence, row }));
  return news.touched.length > 0 && view.followers.size > 0 ? tellFollowers({ session, view }, news) : undefined;
}

async function tellFollowers({ session, view }: { readonly session: Session; readonly view: View }, news: News): Promise<void> {
  for (const [tag, follower] of view.followers) await tellFollower({ session, view }, { tag, follower }, news);
}

/** What several ask for of one message is told once (RFC 5465 section 5.2). */
function describe({ toDescribe }: View, uids: readonly number[], fetch: readonly FetchItem[]): void {
  if (fetch.length === 0) return;
  for (const uid of uids) {
    const items = toDescribe.get(uid) ?? [];
    const known = new Set(items.map((item) => JSON.stringify(item)));
    toDescribe.set(uid, [...items, ...fetch.filter((item) => !known.has(JSON.stringify(item)))]);
  }
}

function tellLine(session: Session, line: string | undefined): void {
  if (line !== undefined) session.output.line(line);
}

/** Results that could not be kept up to date are kept no longer, and the client hears so (RFC 5267 section 4.3.1). */
async function tellFollower(
  { session, view }: { readonly session: Session; readonly view: View },
  { tag, follower }: { readonly tag: string; readonly follower: Follower },
  news: News,
): Promise<void> {
  try {
    tellLine(session, await follower.follow(news.touched));
    describe(view, news.arrived.filter((uid) => follower.holds(uid)), follower.fetch);
  } catch (error) {
    session.log.error({ err: error }, 'results of a search could not be kept up to date');
    view.followers.delete(tag);
    session.output.line(noUpdate(tag));
  }
}

/** The client hears no more of the results of the search with that tag, or never will. */
export function noUpdate(tag: string): string {
  return `* NO [NOUPDATE ${formatString(tag)}] the results are not kept up to date`;
}

/** FLAGS and PERMANENTFLAGS, when keywords were added since the client last heard. */
export function tellKeywords(session: Session, view: View): void {
  for (const line of view.flagTexts.untold(view.flagRights)) session.output.line(line);
}

/** The FETCH response for changed flags. Always with the uid (RFC 9051 section 7.5.2). */
export function flagsResponse(session: Session, view: View, message: Numbered): string {
  const { row } = message;
  const modseq = session.isEnabled('CONDSTORE') ? ` MODSEQ (${String(row.modseq)})` : '';
  return `${messageLead(view, message)}${messageUid(view, message)}FLAGS ${view.flagTexts.of(row)}${modseq})`;
}

/** How a response with items of a message begins: by sequence number, or by uid where the client wants no other (RFC 9586 section 3.3). */
export function messageLead({ numbering }: View, { sequence, row }: Numbered): string {
  return numbering === 'uids' ? `* ${String(row.uid)} UIDFETCH (` : `* ${String(sequence)} FETCH (`;
}

/** The item that names the message, where its response does not begin with that. */
export function messageUid({ numbering }: View, { row }: Numbered): string {
  return numbering === 'uids' ? '' : `UID ${String(row.uid)} `;
}
