/** NOTIFY (RFC 5465): which news the client wants to hear, also between commands and of mailboxes that are not open. */
import { notifyEvents, parseNotify } from '../../shared/imap/notify-arguments.ts';
import { accountCommand } from './command.ts';
import { tellNews } from './news.ts';
import { lookAtRights } from './place.ts';
import { Registration } from './registration.ts';
import { no, ok } from './replies.ts';

export const notify = accountCommand({
  verb: 'NOTIFY',
  parse: (scanner, session) => parseNotify(scanner, session.names),
  run: async ({ session }, given) => {
    if (given.kind === 'unknown') return no('there is an event that is not known here', `BADEVENT (${notifyEvents.join(' ')})`);
    const registration = new Registration(given.kind === 'none' ? [] : given.groups);
    // What has happened up to now is told once more, as by NOOP (RFC 5465 section 3.1); with wishes of its own, by the end of this command.
    const hearsNoMore = given.kind === 'set' && registration.selected.messages === 'nothing';
    if (hearsNoMore) await lookAtRights(session);
    if (hearsNoMore && session.state.at === 'selected') await tellNews(session, session.state.view, 'removals');
    if ((await session.accountNews.register(session, registration, given.kind === 'set' ? given.status : 'no')) === 'too-many') return no('too many mailboxes to be watched', 'NOTIFICATIONOVERFLOW');
    const status = given.kind === 'set' && given.status === 'yes' ? session.accountNews.firstStatus(session) : [];
    for (const line of [...session.accountNews.closedNames(session), ...session.accountNews.notifiedNames(session), ...status]) {
      session.output.line(line);
      if (session.output.full) await session.output.flush();
    }
    return ok('NOTIFY completed');
  },
});
