/**
 * Renders ENVELOPE, BODY and BODYSTRUCTURE (RFC 9051 section 7.5.2) from what was found at delivery. Header fields in UTF-8 (RFC 6532)
 * are shown as they are only to clients that said they take them; for others there are surrogates, as RFC 6858 proposes: encoded
 * words, and addresses that lead nowhere.
 */
import { encodeWords, decodeWords } from '../mime/encoded-words.ts';
import type { Envelope, EnvelopeAddress, Part } from '../mime/structure.ts';
import { unusableAddress } from '../mime/surrogate.ts';
import { formatNstring, formatString, formatText, isInternational } from './strings.ts';
import type { StringForm } from './strings.ts';

/** The envelope as a parenthesized list. Fields stay as they stand in the header, RFC 2047 words undecoded. */
export function formatEnvelope(envelope: Envelope, form: StringForm): string {
  const { from, sender, replyTo } = envelope;
  const author = formatAddresses(from, form);
  // Sender and Reply-To default to From (RFC 9051 section 7.5.2), and mostly are its list.
  const others = [sender, replyTo].map((list) => (list === from || list.length === 0 ? author : formatAddresses(list, form)));
  const people = `${author} ${others.join(' ')} ${formatAddresses(envelope.to, form)} ${formatAddresses(envelope.cc, form)} ${formatAddresses(envelope.bcc, form)}`;
  return `(${formatNstring(envelope.date)} ${formatWords(envelope.subject, form)} ${people} ${formatIds(envelope.inReplyTo, form)} ${formatIds(envelope.messageId, form)})`;
}

function formatAddresses(list: readonly EnvelopeAddress[], form: StringForm): string {
  return list.length === 0 ? 'NIL' : `(${list.map((address) => formatAddress(address, form)).join('')})`;
}

/** Text of which there may be encoded words. */
function formatWords(bytes: string | undefined, form: StringForm): string {
  if (bytes === undefined) return 'NIL';
  return form === 'ascii' && isInternational(bytes) ? formatString(encodeWords(decodeWords(bytes))) : formatText(bytes, form);
}

/** Message-IDs: no surrogate could stand for them. */
function formatIds(bytes: string | undefined, form: StringForm): string {
  return form === 'ascii' && bytes !== undefined && isInternational(bytes) ? 'NIL' : formatNtext(bytes, form);
}

function formatAddress(address: EnvelopeAddress, form: StringForm): string {
  const { name, route, mailbox, host } = address;
  const isGroup = host === undefined; // then the mailbox is its name
  if (!isGroup && form === 'ascii' && isInternational(`${route ?? ''}${mailbox ?? ''}${host}`)) return formatAddress(unusableAddress(address), form);
  const place = [formatNtext(route, form), isGroup ? formatWords(mailbox, form) : formatNtext(mailbox, form), formatNtext(host, form)];
  return `(${formatWords(name, form)} ${place.join(' ')})`;
}

function formatNtext(bytes: string | undefined, form: StringForm): string {
  return bytes === undefined ? 'NIL' : formatText(bytes, form);
}

const emptyEnvelope = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';
const emptyText = '("text" "plain" NIL NIL NIL "7bit" 0 0)';

/** How a body is shown. `extended`: BODYSTRUCTURE; `basic`: the BODY item, without extension data. */
export interface BodyForm {
  readonly data: 'basic' | 'extended';
  readonly strings: StringForm;
}

export function formatBody(part: Part, form: BodyForm): string {
  return part.type === 'multipart' ? formatMultipart(part, form) : formatSinglePart(part, form);
}

function formatMultipart(part: Part, form: BodyForm): string {
  // The grammar demands at least one body, also of a multipart whose boundaries are broken.
  const children = part.children.length === 0 ? emptyText : part.children.map((child) => formatBody(child, form)).join('');
  const extension = form.data === 'extended' ? ` ${formatParameters(part.parameters, form)} ${formatTail(part, form)}` : '';
  return `(${children} ${formatString(part.subtype)}${extension})`;
}

function formatSinglePart(part: Part, form: BodyForm): string {
  const fields = [
    formatString(part.type),
    formatString(part.subtype),
    formatParameters(part.parameters, form),
    formatIds(part.id, form.strings),
    formatWords(part.description, form.strings),
    formatString(part.encoding),
    String(part.bodyEnd - part.bodyStart),
  ];
  if (part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global')) {
    const [enclosed] = part.children;
    fields.push(part.envelope === undefined ? emptyEnvelope : formatEnvelope(part.envelope, form.strings));
    fields.push(enclosed === undefined ? emptyText : formatBody(enclosed, form), String(part.lines));
  } else if (part.type === 'text') fields.push(String(part.lines));
  if (form.data === 'extended') fields.push(formatNstring(part.md5), formatTail(part, form));
  return `(${fields.join(' ')})`;
}

/** Disposition, language and location: the extension data that all parts share. */
function formatTail(part: Part, form: BodyForm): string {
  const { disposition, language } = part;
  const languages = language.length === 0 ? 'NIL' : language.length === 1 ? formatNstring(language[0]) : `(${language.map(formatString).join(' ')})`;
  const disposed = disposition === undefined ? 'NIL' : `(${formatString(disposition.type)} ${formatParameters(disposition.parameters, form)})`;
  return `${disposed} ${languages} ${formatIds(part.location, form.strings)}`;
}

function formatParameters(parameters: readonly (readonly [string, string])[], { strings }: BodyForm): string {
  if (parameters.length === 0) return 'NIL';
  return `(${parameters.map(([name, value]) => formatParameter(name, value, strings)).join(' ')})`;
}

/** For those who take ASCII only, as RFC 2231 section 4 writes it in a header. */
function formatParameter(name: string, value: string, form: StringForm): string {
  if (form === 'utf-8' || !isInternational(value)) return `${formatString(name)} ${formatText(value, form)}`;
  const escaped = value.replaceAll(/[^A-Za-z0-9.!#$&+^_`{}~-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  return `${formatString(`${name}*`)} ${formatString(`utf-8''${escaped}`)}`;
}
