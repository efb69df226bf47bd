/** In which states an IMAP session is (RFC 9051 section 3), and what it is told when it begins. */
import type { Beginning } from '../line-service/line-service.ts';
import type { Account } from '../storage/storage.ts';
import type { ImapOptions } from './imap.ts';
import type { Leg } from './leg.ts';
import type { AwayPlace, HerePlace } from './place.ts';
import type { View } from './view.ts';

/** `account` is the one that was logged in to; the open mailbox may be in another's, at `place`. */
export type SessionState =
  | { readonly at: 'not-authenticated' }
  | { readonly at: 'authenticated'; readonly account: Account }
  | { readonly at: 'selected'; readonly account: Account; readonly view: View; readonly place: HerePlace }
  /** The open mailbox, of that name, is on another node; once the leg there is lost, `loss` says whether the client knows. */
  | { readonly at: 'away'; readonly account: Account; readonly leg: Leg; readonly place: AwayPlace; readonly name: string; readonly access: 'read-write' | 'read-only'; readonly loss: 'untold' | 'told' }
  | { readonly at: 'logout'; readonly then: AfterLogout };
/** What becomes of the connection: it is closed, its front-end gets it back, or another session begins on it at once (RFC 8437). */
export type AfterLogout = 'close' | 'release' | 'begin-anew';
/** With an account. */
export function isLoggedIn(state: SessionState): state is Extract<SessionState, { account: Account }> {
  return state.at === 'authenticated' || state.at === 'selected' || state.at === 'away';
}

export type StateName = SessionState['at'];

/** Extensions that change what we send once the client asked for them. */
export type Extension = 'CONDSTORE' | 'QRESYNC' | 'IMAP4REV2' | 'METADATA' | 'UTF8=ACCEPT' | 'UIDONLY';

/** Who is at the other end: the front-end tells it of its clients. */
export interface ClientAddress {
  readonly address: string;
  readonly port: number;
}

export type SessionOptions = ImapOptions & Pick<Beginning, 'trustedPeer' | 'neighbour' | 'resting'>;
