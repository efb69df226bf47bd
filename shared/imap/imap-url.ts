/** IMAP URLs of messages and their parts (RFC 5092; PARTIAL also RFC 5550; EXPIRE and URLAUTH: RFC 4467). Pure. */
import { parseSection } from './fetch-items.ts';
import type { PartialRange, Section } from './fetch-items.ts';
import { decodeMailboxName } from './mailbox-name.ts';
import { decodeUtf8, malformed } from './scanner.ts';

/** Who may use an authorised URL. Users are written as they log in. */
export type UrlAccess =
  | { readonly kind: 'submit' | 'user'; readonly user: string }
  | { readonly kind: 'authuser' | 'anonymous' };

export interface UrlAuthorisation {
  readonly access: UrlAccess;
  /** Undefined: for ever. */
  readonly expiresMs: number | undefined;
  /** Absent from a URL that is yet to be authorised. The mechanism is in capitals, the token in hexadecimal. */
  readonly proof: { readonly mechanism: string; readonly token: string } | undefined;
  /** All of the URL that is authorised. */
  readonly rump: string;
}

export interface MessageUrl {
  /** Undefined for a relative URL. */
  readonly server: { readonly user: string | undefined; readonly host: string } | undefined;
  readonly mailbox: string;
  readonly uidValidity: number | undefined;
  readonly uid: number;
  readonly section: Section;
  readonly partial: PartialRange | undefined;
  readonly authorisation: UrlAuthorisation | undefined;
}

/** What a relative URL of a session counts from: the open mailbox. */
export type UrlBase = string | undefined;

const longestUrl = 8192;
const absolute = /^imap:\/\/(?:([^/]*)@)?([^/@]+)\/(.*)$/i;
const message =
  /^(.*?)(?:;UIDVALIDITY=(\d{1,10}))?(?:^|\/);UID=(\d{1,10})(?:\/;SECTION=([^;]+?))?(?:\/;PARTIAL=(\d{1,10})(?:\.(\d{1,10}))?)?((?:;EXPIRE=([^;]+))?;URLAUTH=([^;:]+)(?::([A-Za-z0-9.-]{1,32}):([0-9a-f]{32,512}))?)?$/i;

/** Reads the URL of a message or a part of it. @throws bad-input for everything else, also for URLs of servers and mailboxes */
export function parseMessageUrl(text: string, base: UrlBase): MessageUrl {
  if (text.length > longestUrl || !/^[\x21-\x7e]+$/.test(text)) throw malformed('not a URL');
  const [, user, host, path] = absolute.exec(text) ?? [];
  const isRelative = host === undefined;
  if (isRelative && /^[a-z][a-z0-9+.-]*:/i.test(text)) throw malformed('not an IMAP URL');
  const match = message.exec(path ?? (text.startsWith('/') ? text.slice(1) : text));
  if (match === null) throw malformed('not the URL of a message');
  const [, mailbox = '', uidValidity, uid, section = '', offset, length] = match;
  return {
    server: isRelative ? undefined : { user: user === undefined ? undefined : decodeText(user.replace(/;AUTH=.*$/i, '')), host },
    mailbox: mailboxOf(decode(mailbox), isRelative && !text.startsWith('/') ? base : ''),
    uidValidity: uidValidity === undefined ? undefined : positive(uidValidity),
    uid: positive(uid),
    section: parseSection(decode(section)),
    partial: offset === undefined ? undefined : { offset: Number(offset), length: length === undefined ? Infinity : positive(length) },
    authorisation: authorisationOf(text, match.slice(7)),
  };
}

/** A path without / in front counts from where the open mailbox is; without any mailbox it means that one (RFC 3986 section 5.2). */
function mailboxOf(bytes: string, base: UrlBase): string {
  if (bytes === '') {
    if (base === undefined || base === '') throw malformed('the URL names no mailbox');
    return base;
  }
  const name = decodeMailboxName(bytes, 'utf-8');
  const level = base?.lastIndexOf('/') ?? -1;
  return base === undefined || level < 0 ? name : `${base.slice(0, level)}/${name}`;
}

function authorisationOf(text: string, [all, expires, access, mechanism, token]: readonly (string | undefined)[]): UrlAuthorisation | undefined {
  if (all === undefined || access === undefined) return undefined;
  const expiresMs = expires === undefined ? undefined : timeOf(expires);
  const proof = mechanism === undefined || token === undefined ? undefined : { mechanism: mechanism.toUpperCase(), token };
  const rump = proof === undefined ? text : text.slice(0, text.length - `:${proof.mechanism}:${proof.token}`.length);
  return { access: accessOf(access), expiresMs, proof, rump };
}

function accessOf(text: string): UrlAccess {
  const [, kind = '', user = ''] = /^(submit|user)\+(.+)$/i.exec(text) ?? [];
  if (kind !== '') return { kind: kind.toLowerCase() as 'submit' | 'user', user: decodeText(user) };
  const word = text.toLowerCase();
  if (word !== 'authuser' && word !== 'anonymous') throw malformed('unknown access identifier');
  return { kind: word };
}

/** RFC 3339, with seconds and a zone. */
function timeOf(text: string): number {
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text.toUpperCase()) : NaN;
  if (Number.isNaN(timeMs)) throw malformed('malformed EXPIRE');
  return timeMs;
}

function positive(text: string | undefined): number {
  const value = Number(text);
  if (!(value > 0 && value <= 0xffffffff)) throw malformed('a number of the URL is out of range');
  return value;
}

/** Percent-encoded bytes, one character each. */
function decode(text: string): string {
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (/%(?![0-9a-f]{2})/i.test(text)) throw malformed('malformed percent-encoding');
  return bytes;
}

function decodeText(text: string): string {
  return decodeUtf8(decode(text));
}
