/** In which states an IMAP session is (RFC 9051 section 3), and what it is told when it begins. */
import type { Beginning } from '../line-service/line-service.ts';
import type { Account } from '../storage/storage.ts';
import type { ImapOptions } from './imap.ts';
import type { View } from './view.ts';

export type SessionState =
  | { readonly at: 'not-authenticated' }
  | { readonly at: 'authenticated'; readonly account: Account }
  | { readonly at: 'selected'; readonly account: Account; readonly view: View }
  | { readonly at: 'logout'; readonly then: AfterLogout };
/** What becomes of the connection: it is closed, its front-end gets it back, or another session begins on it at once (RFC 8437). */
export type AfterLogout = 'close' | 'release' | 'begin-anew';
export type StateName = SessionState['at'];

/** Extensions that change what we send once the client asked for them. */
export type Extension = 'CONDSTORE' | 'QRESYNC' | 'IMAP4REV2' | 'METADATA' | 'UTF8=ACCEPT';

/** Who is at the other end: the front-end tells it of its clients. */
export interface ClientAddress {
  readonly address: string;
  readonly port: number;
}

export type SessionOptions = ImapOptions & Pick<Beginning, 'trustedPeer' | 'resting'>;
