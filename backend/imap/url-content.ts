/** What a URL of a message or a part of it stands for (RFC 5092). */
import { isFailure } from '../../shared/base/failure.ts';
import { parseMessageUrl } from '../../shared/imap/imap-url.ts';
import type { MessageUrl } from '../../shared/imap/imap-url.ts';
import type { Account, StoredMessage } from '../storage/storage.ts';
import { nameOfShared, placeOf } from './place.ts';
import type { HerePlace } from './place.ts';
import { contentBytes, contentSize, prepareContent } from './fetch-content.ts';
import { Refusal, no } from './replies.ts';
import type { Session } from './session.ts';

export interface PartBytes {
  readonly size: number;
  readonly bytes: () => AsyncGenerator<Buffer, void, void>;
}

/** The part that CATENATE takes (RFC 4469 section 3): by a relative URL, of a mailbox that the user may read. Refuses with BADURL. */
export async function openPart(session: Session, text: string): Promise<PartBytes> {
  const found = await find(session, text);
  if (found === undefined) throw new Refusal(no('there is nothing by that URL', `BADURL ${responseText(text)}`));
  return found;
}

async function find(session: Session, text: string): Promise<PartBytes | undefined> {
  const url = parseUrl(text, openName(session));
  if (url === undefined || url.server !== undefined || url.authorisation !== undefined) return undefined;
  const place = await readablePlace(session, url.mailbox);
  const message = place === undefined ? undefined : messageOf(place.account, { ...url, mailbox: place.name });
  if (message === undefined) return undefined;
  const content = await prepareContent(message, { kind: 'section', label: '', section: url.section, partial: url.partial, marksSeen: 'no' });
  const size = contentSize(content);
  return size === undefined ? undefined : { size, bytes: () => contentBytes(message, content) };
}

/** As the user calls it. */
function openName(session: Session): string | undefined {
  const { state } = session;
  if (state.at === 'away') return state.name;
  if (state.at !== 'selected') return undefined;
  const { name } = state.view.mailbox.state();
  return state.place.whose === 'own' ? name : nameOfShared(session, { owner: state.place.account.address, name });
}

/** Undefined for what is on another node, too. */
async function readablePlace(session: Session, name: string): Promise<HerePlace | undefined> {
  try {
    const place = await placeOf(session, name);
    return place.at === 'here' && place.rights.includes('r') ? place : undefined;
  } catch (error) {
    if (isFailure(error, 'mailbox-missing')) return undefined;
    throw error;
  }
}

/** Undefined for what is no URL of a message. */
export function parseUrl(text: string, base: string | undefined): MessageUrl | undefined {
  try {
    return parseMessageUrl(text, base);
  } catch (error) {
    if (isFailure(error, 'bad-input')) return undefined;
    throw error;
  }
}

/** Undefined when the account has no such message. */
export function messageOf(account: Account, { mailbox: name, uidValidity, uid }: MessageUrl): StoredMessage | undefined {
  const mailbox = account.mailbox(name);
  if (mailbox === undefined || (uidValidity !== undefined && mailbox.state().uidValidity !== uidValidity)) return undefined;
  return mailbox.message(uid);
}

/** A URL as a response code may bear it: without what would end the code or the line. */
function responseText(text: string): string {
  return text.slice(0, 1000).replaceAll(/[^\x21-\x7e]|[\]\\]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
