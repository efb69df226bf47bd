/** Tells the client what happened in the open mailbox (RFC 9051 section 5.2; VANISHED: RFC 7162 section 3.2.10). */
import { formatSet } from '../../shared/imap/sequence-set.ts';
import type { MessageRow } from '../storage/storage.ts';
import type { Telling } from './command.ts';
import type { Session } from './session.ts';
import type { View } from './view.ts';

/** Adds the responses for everything new to the session's output. @throws mailbox-missing */
export function tellNews(session: Session, view: View, mode: Telling): void {
  const { messages, flags, fetch } = session.accountNews.selected;
  if (messages === 'nothing' && mode !== 'removals') return;
  const news = view.refresh(mode === 'no-expunges' ? mode : 'everything');
  tellKeywords(session, view);
  if (news.expunged.length > 0 && session.isEnabled('QRESYNC')) {
    session.output.line(`* VANISHED ${formatSet(news.expunged.map(({ uid }) => uid))}`);
  } else {
    // From the highest down: no number shifts before it is told.
    for (const { sequence } of news.expunged.toReversed()) session.output.line(`* ${String(sequence)} EXPUNGE`);
  }
  if (news.exists !== undefined) session.output.line(`* ${String(news.exists)} EXISTS`);
  if (fetch.length > 0) for (const uid of news.arrived) view.toDescribe.add(uid);
  if (flags === 'told') for (const { sequence, row } of news.changed) session.output.line(flagsResponse(session, view, { sequence, row }));
}

/** FLAGS and PERMANENTFLAGS, when keywords were added since the client last heard. */
export function tellKeywords(session: Session, view: View): void {
  for (const line of view.flagTexts.untold(view.flagRights)) session.output.line(line);
}

/** The FETCH response for changed flags. Always with the uid (RFC 9051 section 7.5.2). */
export function flagsResponse(session: Session, view: View, message: { readonly sequence: number; readonly row: MessageRow }): string {
  const { sequence, row } = message;
  const modseq = session.isEnabled('CONDSTORE') ? ` MODSEQ (${String(row.modseq)})` : '';
  return `* ${String(sequence)} FETCH (UID ${String(row.uid)} FLAGS ${view.flagTexts.of(row)}${modseq})`;
}
