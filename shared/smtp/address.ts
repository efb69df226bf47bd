/** Mail addresses as SMTP writes them (RFC 5321 section 4.1.2, RFC 6531 section 3.3): reading, bounds, one normal form. Pure. */
import { domainToASCII, domainToUnicode } from 'node:url';

/** A mailbox: `localPart@domain`. */
export interface MailAddress {
  /** As written, quotes of a quoted string included. Its case is the owner's business. */
  readonly localPart: string;
  /** Lower case, in A-labels (`xn--…`), or an address literal such as `[192.0.2.1]`. */
  readonly domain: string;
}

/**
 * RFC 5321 section 4.5.3.1.3: a path has 256 octets with its angle brackets. The 64 of a local part are not enforced:
 * the forwarding and bounce addresses of large senders are longer.
 */
const maxAddressBytes = 254;
const maxDomainBytes = 253;

/** RFC 5322 atext, and the brackets and separators that bounce addresses of the real world hold without quotes. */
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~()\\[\\],:;\\u0080-\\u{10FFFF}-]+";
const dotString = new RegExp(`^${atom}(?:\\.${atom})*$`, 'u');
const quotedString = /^"(?:[ !#-[\]-~\u0080-\u{10FFFF}]|\\[ -~])*"$/u;
const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/u;
const addressLiteral = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]+)\]$/iu;
/** Reads `local@domain`; undefined when it is not an address, or longer than RFC 5321 allows. */
export function parseAddress(text: string): MailAddress | undefined {
  if (Buffer.byteLength(text) > maxAddressBytes || hasUnsafeCharacter(text)) return undefined;
  const at = text.lastIndexOf('@');
  if (at <= 0) return undefined;
  const localPart = text.slice(0, at);
  if (!dotString.test(localPart) && !quotedString.test(localPart)) return undefined;
  const domain = normaliseDomain(text.slice(at + 1));
  return domain === undefined ? undefined : { localPart, domain };
}

/** A domain in lower-case A-labels, or an address literal; undefined when it is neither. A name of one label is a domain. */
export function normaliseDomain(text: string): string | undefined {
  if (hasUnsafeCharacter(text) || text.length > maxDomainBytes) return undefined;
  if (addressLiteral.test(text)) return text.toLowerCase().replace('[ipv6:', '[IPv6:');
  // domainToASCII reads `1` or `0x7f.1` as IPv4 addresses: those pass through the label check unchanged instead.
  const ascii = isAscii(text) ? text.toLowerCase() : domainToASCII(text);
  const labels = ascii.split('.');
  if (ascii.length > maxDomainBytes || !labels.every((part) => part.length <= 63 && label.test(part))) return undefined;
  return ascii;
}

/** The address as the wire wants it: A-labels, local part as it was. */
export function formatAddress(address: MailAddress): string {
  return `${address.localPart}@${address.domain}`;
}

/** The address as people read it: domain in U-labels. */
export function displayAddress(address: MailAddress): string {
  return `${address.localPart}@${domainToUnicode(address.domain) || address.domain}`;
}

/** True when the server must support SMTPUTF8 to take it (RFC 6531 section 3.1): the local part is not ASCII. */
export function needsSmtpUtf8(address: string): boolean {
  return !isAscii(address);
}

/** Encodes a parameter value as xtext (RFC 3461 section 4); what is not ASCII stays, as RFC 6531 section 3.3 lets it. */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~\u0080-\u{10FFFF}]/gu, (character) => `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Controls (C0, DEL, C1) and invisible formatting characters: never part of an address, often part of a trick. */
export function hasUnsafeCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e)) return true;
    if (code === 0x200b || (code >= 0x2060 && code <= 0x2069) || code === 0xfeff) return true;
  }
  return false;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
