/**
 * What a client gets of a message with UTF-8 in its headers (RFC 6532) when it has not said that it can take that: the same message with
 * these fields written in US-ASCII, in the way of RFC 6858. Subjects and other texts become encoded words, parameters take the coding of
 * RFC 2231, domains theirs (IDNA); an address whose local part is no ASCII can't be written to from there, and is only shown. Bytes that are
 * no UTF-8 are nobody's text and stay, as does all that is signed or encrypted.
 */
import { isAscii as hasAsciiOnly } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { parseAddressList } from './address.ts';
import { decodeWords, encodeWords } from './encoded-words.ts';
import { parseParametrisedValue, percentEncode, unfold } from './header.ts';
import type { Edit } from './message-edits.ts';
import type { EnvelopeAddress, Part } from './structure.ts';

/** Of one header, and of all that a message has; what is longer stays as it is. */
const longestHeader = 256 * 1024;
const longestHeaders = 1024 * 1024;

const addressFields = new Set(['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'resent-from', 'resent-sender', 'resent-to', 'resent-cc', 'resent-bcc', 'disposition-notification-to']);
const fieldsWithParameters = new Set(['content-type', 'content-disposition']);

/** What has to be written otherwise; empty for nearly all messages. */
export async function planSurrogate(root: Part, read: (offset: number, length: number) => Promise<Buffer>): Promise<readonly Edit[]> {
  const edits: Edit[] = [];
  let left = longestHeaders;
  for (const { headerStart, bodyStart } of openParts(root)) {
    const length = bodyStart - headerStart;
    if (length === 0 || length > longestHeader || length > left) continue;
    left -= length;
    const section = await read(headerStart, length);
    const surrogate = surrogateHeader(section);
    if (surrogate !== undefined) edits.push({ kind: 'replace', start: headerStart, end: bodyStart, bytes: surrogate });
  }
  return edits;
}

/** In the order of their headers. */
function* openParts(part: Part): Generator<Part> {
  yield part;
  if (part.type === 'multipart' && (part.subtype === 'signed' || part.subtype === 'encrypted')) return;
  for (const child of part.children) yield* openParts(child);
}

/** Undefined when it is fit for everybody as it stands. */
function surrogateHeader(section: Buffer): Buffer | undefined {
  if (hasAsciiOnly(section)) return undefined;
  const before = section.toString('latin1');
  const after = before.split(/(?<=\n)(?![ \t])/).map(surrogateField).join('');
  return before === after ? undefined : Buffer.from(after, 'latin1');
}

/** @param raw a field with its folding and line ends */
function surrogateField(raw: string): string {
  if (isAscii(raw) || utf8Text(raw) === undefined) return raw;
  const [, name, written = ''] = /^([!-9;-~]+[ \t]*):(.*)$/s.exec(raw) ?? [];
  if (name === undefined) return raw;
  const lineEnd = /\r?\n$/.exec(raw)?.[0] ?? '\r\n';
  const value = unfold(written).trim();
  const kind = name.trimEnd().toLowerCase();
  const lines = addressFields.has(kind) ? parseAddressList(value).flatMap(surrogateAddress) : fieldsWithParameters.has(kind) ? surrogateParameters(value) : wordsOf(value);
  return `${name}: ${lines.join(`${lineEnd} `)}${raw.endsWith('\n') ? lineEnd : ''}`;
}

/** Lines of encoded words. */
function wordsOf(raw: string): string[] {
  return encodeWords(decodeWords(raw)).split(/ (?==\?utf-8\?B\?)/);
}

/** One address with the comma behind it, or the beginning or end of a group. */
function surrogateAddress(address: EnvelopeAddress, index: number, all: readonly EnvelopeAddress[]): string[] {
  const next = all[index + 1];
  const isGroupEnd = (one: EnvelopeAddress | undefined): boolean => one !== undefined && one.host === undefined && one.mailbox === undefined;
  if (address.host === undefined && address.mailbox !== undefined) return [`${phrase(address.mailbox)}:`];
  const comma = next === undefined || isGroupEnd(next) ? '' : ',';
  if (isGroupEnd(address)) return [`;${comma}`];
  return [`${addressText(address)}${comma}`];
}

function addressText({ name, mailbox = '', host = '' }: EnvelopeAddress): string {
  const domain = isAscii(host) ? host : domainToASCII(utf8Text(host) ?? '');
  if (isAscii(mailbox) && (domain !== '' || host === '')) {
    const local = /^[\w!#$%&'*+/=?^`{|}~.-]+$/.test(mailbox) ? mailbox : quoted(mailbox);
    const written = domain === '' ? local : `${local}@${domain}`;
    return name === undefined ? written : `${phrase(name)} <${written}>`;
  }
  const unusable = unusableAddress({ name, route: undefined, mailbox, host });
  return `${unusable.name ?? ''} <${unusable.mailbox ?? ''}@${unusable.host ?? ''}>`;
}

/** An address at which nobody gets mail; its name tells the real one (RFC 6858 section 2.1). */
export function unusableAddress({ name, mailbox = '', host = '' }: EnvelopeAddress): EnvelopeAddress {
  const real = Buffer.from(`${mailbox}@${host}`, 'latin1').toString('utf8');
  const shown = encodeWords(name === undefined ? real : `${decodeWords(name)} <${real}>`);
  return { name: shown, route: undefined, mailbox: 'invalid', host: 'internationalized-address.invalid' };
}

function phrase(raw: string): string {
  if (!isAscii(raw)) return encodeWords(decodeWords(raw));
  return raw.includes('=?') || /^[\w!#$%&'*+/=?^`{|}~ -]*$/.test(raw) ? raw : quoted(raw);
}

function surrogateParameters(raw: string): string[] {
  const { value, parameters } = parseParametrisedValue(raw);
  const lines = [value, ...parameters.filter(([name]) => isAscii(name)).map(([name, text]) => {
    if (name.endsWith('*')) return `${name}=${text.replace(/[^!-~]/g, percentEncode)}`;
    return isAscii(text) ? `${name}=${quoted(text)}` : `${name}*=utf-8''${percentEncode(text)}`;
  })];
  return lines.map((line, index) => `${isAscii(line) ? line : line.replace(/[^ -~]/g, '?')}${index < lines.length - 1 ? ';' : ''}`);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function isAscii(text: string): boolean {
  return !/[\x80-\xff]/.test(text);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined when the bytes are no UTF-8. */
function utf8Text(latin1: string): string | undefined {
  try {
    return strictUtf8.decode(Buffer.from(latin1, 'latin1'));
  } catch (cause) {
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
}
