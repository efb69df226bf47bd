/** What we announce, by what is possible at this moment: only what works. */
import type { Session } from './session.ts';

const always = 'IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE';
const afterLogin =
  'COMPRESS=DEFLATE REPLACE CATENATE URL-PARTIAL URLAUTH URLAUTH=BINARY UIDONLY ' +
  'NAMESPACE UNSELECT UIDPLUS ESEARCH SEARCHRES IDLE LIST-EXTENDED LIST-STATUS MOVE SPECIAL-USE CHILDREN CONDSTORE QRESYNC ' +
  'OBJECTID SAVEDATE WITHIN PREVIEW BINARY MULTIAPPEND STATUS=SIZE ACL RIGHTS=texk LIST-MYRIGHTS QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE ' +
  'METADATA LIST-METADATA CREATE-SPECIAL-USE NOTIFY UTF8=ACCEPT ' +
  'SORT SORT=DISPLAY THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS ESORT I18NLEVEL=1 PARTIAL INPROGRESS CONTEXT=SEARCH CONTEXT=SORT MULTISEARCH SEARCH=FUZZY';

/**
 * The capability list, without the word CAPABILITY. A front-end is told all of it before login: it announces to its clients
 * what all back-ends can.
 */
export function capabilities(session: Session): string {
  const all = `${always} ${afterLogin} APPENDLIMIT=${String(session.options.limits.maxMessageBytes)}`;
  if (session.state.at !== 'not-authenticated') return mayUnauthenticate(session) ? `${all} UNAUTHENTICATE` : all;
  return [session.options.trustedPeer === 'yes' ? all : always, ...loginCapabilities(session)].join(' ');
}

/** RFC 8437: a front-end that speaks for itself, on a connection that can begin anew. */
export function mayUnauthenticate({ options, speaksForClient, connection }: Session): boolean {
  return options.trustedPeer === 'yes' && speaksForClient === 'no' && connection.compression === 'none';
}

function loginCapabilities(session: Session): string[] {
  if (!session.connection.encrypted) return ['STARTTLS', 'LOGINDISABLED'];
  return session.options.trustedPeer === 'yes' ? ['AUTH=PLAIN', 'AUTH=LOGIN', 'AUTH=EXTERNAL', 'UNAUTHENTICATE'] : ['AUTH=PLAIN', 'AUTH=LOGIN'];
}
