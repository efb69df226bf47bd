/** Renders ENVELOPE, BODY and BODYSTRUCTURE (RFC 9051 section 7.5.2) from what was found at delivery. */
import type { Envelope, EnvelopeAddress, Part } from '../mime/structure.ts';
import { formatNstring, formatString } from './strings.ts';

/** The envelope as a parenthesized list. Fields stay as they stand in the header, RFC 2047 words undecoded. */
export function formatEnvelope(envelope: Envelope): string {
  const fields = [
    formatNstring(envelope.date),
    formatNstring(envelope.subject),
    // Sender and Reply-To default to From (RFC 9051 section 7.5.2).
    formatAddresses(envelope.from),
    formatAddresses(envelope.sender.length > 0 ? envelope.sender : envelope.from),
    formatAddresses(envelope.replyTo.length > 0 ? envelope.replyTo : envelope.from),
    formatAddresses(envelope.to),
    formatAddresses(envelope.cc),
    formatAddresses(envelope.bcc),
    formatNstring(envelope.inReplyTo),
    formatNstring(envelope.messageId),
  ];
  return `(${fields.join(' ')})`;
}

function formatAddresses(addresses: readonly EnvelopeAddress[]): string {
  if (addresses.length === 0) return 'NIL';
  return `(${addresses.map((address) => `(${[address.name, address.route, address.mailbox, address.host].map(formatNstring).join(' ')})`).join('')})`;
}

const emptyEnvelope = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';
const emptyText = '("text" "plain" NIL NIL NIL "7bit" 0 0)';

/** `extended`: BODYSTRUCTURE; `basic`: the BODY item, without extension data. */
export function formatBody(part: Part, form: 'basic' | 'extended'): string {
  return part.type === 'multipart' ? formatMultipart(part, form) : formatSinglePart(part, form);
}

function formatMultipart(part: Part, form: 'basic' | 'extended'): string {
  // The grammar demands at least one body, also of a multipart whose boundaries are broken.
  const children = part.children.length === 0 ? emptyText : part.children.map((child) => formatBody(child, form)).join('');
  const extension = form === 'extended' ? ` ${formatParameters(part.parameters)} ${formatTail(part)}` : '';
  return `(${children} ${formatString(part.subtype)}${extension})`;
}

function formatSinglePart(part: Part, form: 'basic' | 'extended'): string {
  const fields = [
    formatString(part.type),
    formatString(part.subtype),
    formatParameters(part.parameters),
    formatNstring(part.id),
    formatNstring(part.description),
    formatString(part.encoding),
    String(part.bodyEnd - part.bodyStart),
  ];
  if (part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global')) {
    const [enclosed] = part.children;
    fields.push(part.envelope === undefined ? emptyEnvelope : formatEnvelope(part.envelope));
    fields.push(enclosed === undefined ? emptyText : formatBody(enclosed, form), String(part.lines));
  } else if (part.type === 'text') fields.push(String(part.lines));
  if (form === 'extended') fields.push(formatNstring(part.md5), formatTail(part));
  return `(${fields.join(' ')})`;
}

/** Disposition, language and location: the extension data that all parts share. */
function formatTail(part: Part): string {
  const { disposition, language } = part;
  const languages = language.length === 0 ? 'NIL' : language.length === 1 ? formatNstring(language[0]) : `(${language.map(formatString).join(' ')})`;
  const disposed = disposition === undefined ? 'NIL' : `(${formatString(disposition.type)} ${formatParameters(disposition.parameters)})`;
  return `${disposed} ${languages} ${formatNstring(part.location)}`;
}

function formatParameters(parameters: readonly (readonly [string, string])[]): string {
  if (parameters.length === 0) return 'NIL';
  return `(${parameters.map(([name, value]) => `${formatString(name)} ${formatString(value)}`).join(' ')})`;
}
