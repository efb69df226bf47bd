/** What we announce, by what is possible at this moment: only what works. */
import type { Session } from './session.ts';

const always = 'IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE';
const afterLogin =
  'NAMESPACE UNSELECT UIDPLUS ESEARCH SEARCHRES IDLE LIST-EXTENDED LIST-STATUS MOVE SPECIAL-USE CHILDREN CONDSTORE QRESYNC ' +
  'OBJECTID SAVEDATE WITHIN PREVIEW BINARY MULTIAPPEND STATUS=SIZE QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE';

/** The capability list, without the word CAPABILITY. */
export function capabilities(session: Session): string {
  if (session.state.at === 'not-authenticated') return [always, ...loginCapabilities(session)].join(' ');
  return `${always} ${afterLogin} APPENDLIMIT=${String(session.options.limits.maxMessageBytes)}`;
}

function loginCapabilities(session: Session): string[] {
  if (!session.connection.encrypted) return ['STARTTLS', 'LOGINDISABLED'];
  return session.options.trustedPeer === 'yes' ? ['AUTH=PLAIN', 'AUTH=LOGIN', 'AUTH=EXTERNAL'] : ['AUTH=PLAIN', 'AUTH=LOGIN'];
}
