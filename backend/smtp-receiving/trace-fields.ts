/** Received fields (RFC 5321 section 4.4), for the way from the client to the front-end and from there to here; fields a submission must have (RFC 6409 section 8). Pure. */
import { randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { mailDate } from '../../shared/mime/mail-date.ts';

/** One hop of a message. */
export interface Hop {
  /** What the sending side called itself. */
  readonly hello: string | undefined;
  /** Its address, where known. */
  readonly address: string | undefined;
  readonly by: string;
  /** `ESMTPS`, `LMTPS` … (RFC 3848). */
  readonly protocol: string;
  readonly id: string;
  /** Only when there is one recipient: others must not be disclosed. */
  readonly recipient: string | undefined;
}

/** @param timeMs milliseconds since 1970. */
export function receivedField(hop: Hop, timeMs: number): string {
  const address = hop.address === undefined ? '' : ` ([${isIPv6(hop.address) ? 'IPv6:' : ''}${safeWord(hop.address)}])`;
  const recipient = hop.recipient === undefined ? '' : `\r\n\tfor <${hop.recipient}>`;
  return `Received: from ${safeWord(hop.hello ?? 'unknown')}${address}\r\n\tby ${hop.by} with ${safeWord(hop.protocol)} id ${safeWord(hop.id)}${recipient};\r\n\t${mailDate(timeMs)}\r\n`;
}

/** `Date` and `Message-ID` fields, as far as they are missing. */
export function missingFields(has: { readonly hasDate: boolean; readonly hasMessageId: boolean }, { domain, timeMs }: { readonly domain: string; readonly timeMs: number }): string {
  const date = has.hasDate ? '' : `Date: ${mailDate(timeMs)}\r\n`;
  return has.hasMessageId ? date : `${date}Message-ID: <${randomUUID()}@${domain}>\r\n`;
}

/** What strangers said of themselves, fit for a header field: one word of harmless characters, not too long. */
function safeWord(word: string): string {
  return word.replace(/[^\w.:[\]-]/gu, '?').slice(0, 255);
}

