/** What a finished header section says about its part, and, for a message, its envelope. Pure; never throws. */
import { parseAddressList } from './address.ts';
import { parseDate } from './date.ts';
import { fieldValue, parseParametrisedValue, splitFields, withoutComments } from './header.ts';
import type { HeaderField } from './header.ts';
import type { Envelope, EnvelopeAddress, MessageHead, Part } from './structure.ts';

/** The fields of `Part` that stand in the header. */
export type PartHeader = Pick<
  Part,
  'type' | 'subtype' | 'parameters' | 'id' | 'description' | 'encoding' | 'disposition' | 'language' | 'location' | 'md5'
>;

/** What only the header of a message has. */
export type MessageHeader = Pick<MessageHead, 'envelope' | 'sentAtMs' | 'references' | 'fromReferences'>;

/** RFC 2045 section 5.2: what a part is that doesn't say it. */
export const plainType: Pick<Part, 'type' | 'subtype' | 'parameters'> = {
  type: 'text',
  subtype: 'plain',
  parameters: [['charset', 'us-ascii']],
};

/** Message-IDs kept for threading; References fields of endless threads grow without bound. */
const maxReferences = 200;

/**
 * Reads the Content-* fields.
 * @param defaultType what a part without Content-Type is: message/rfc822 inside multipart/digest (RFC 2046 section 5.1.5).
 */
export function readPartHeader(
  fields: readonly HeaderField[],
  defaultType: Pick<Part, 'type' | 'subtype' | 'parameters'>,
): PartHeader {
  const disposition = fieldValue(fields, 'content-disposition');
  return {
    ...readType(fieldValue(fields, 'content-type'), defaultType),
    id: presentValue(fields, 'content-id'),
    description: presentValue(fields, 'content-description'),
    encoding: readEncoding(fieldValue(fields, 'content-transfer-encoding') ?? ''),
    disposition: disposition === undefined ? undefined : readDisposition(disposition),
    language: withoutComments(fieldValue(fields, 'content-language') ?? '').split(/[\s,]+/).filter((tag) => tag !== ''),
    location: presentValue(fields, 'content-location'),
    md5: presentValue(fields, 'content-md5'),
  };
}

/** Reads the fields of a message's own header. */
export function readMessageHeader(fields: readonly HeaderField[]): MessageHeader {
  const date = fieldValue(fields, 'date');
  return {
    envelope: readEnvelope(fields),
    sentAtMs: date === undefined ? undefined : parseDate(date),
    ...readReferences(fields),
  };
}

/** The fields of a header section as it stands in the message. */
export function readFields(section: Buffer): HeaderField[] {
  return splitFields(section.toString('latin1'));
}

/** From, Sender and Reply-To fall back as RFC 9051 section 7.5.2 wants it. */
function readEnvelope(fields: readonly HeaderField[]): Envelope {
  const from = readAddresses(fields, 'from');
  const sender = readAddresses(fields, 'sender');
  const replyTo = readAddresses(fields, 'reply-to');
  return {
    date: fieldValue(fields, 'date'),
    subject: fieldValue(fields, 'subject'),
    from,
    sender: sender.length === 0 ? from : sender,
    replyTo: replyTo.length === 0 ? from : replyTo,
    to: readAddresses(fields, 'to'),
    cc: readAddresses(fields, 'cc'),
    bcc: readAddresses(fields, 'bcc'),
    inReplyTo: presentValue(fields, 'in-reply-to'),
    messageId: presentValue(fields, 'message-id'),
  };
}

/** A field that wrongly stands several times counts as one long list. */
function readAddresses(fields: readonly HeaderField[], name: string): EnvelopeAddress[] {
  if (!fields.some((field) => field.name === name)) return []; // most of the fields are seldom there
  return fields.filter((field) => field.name === name).flatMap((field) => parseAddressList(field.value));
}

function readReferences(fields: readonly HeaderField[]): Pick<MessageHead, 'references' | 'fromReferences'> {
  const own = idsIn(fields, 'references');
  const answered = [...idsIn(fields, 'in-reply-to')].filter((id) => !own.has(id));
  const references = [...own, ...answered].slice(-maxReferences);
  return { references, fromReferences: Math.min(own.size, references.length) };
}

const noIds: ReadonlySet<string> = new Set();

function idsIn(fields: readonly HeaderField[], name: string): ReadonlySet<string> {
  const value = fieldValue(fields, name);
  return value === undefined ? noIds : new Set(value.match(/<[^<>\s]+>/g));
}

function presentValue(fields: readonly HeaderField[], name: string): string | undefined {
  const value = fieldValue(fields, name);
  return value === '' ? undefined : value;
}

function readType(
  value: string | undefined,
  defaultType: Pick<Part, 'type' | 'subtype' | 'parameters'>,
): Pick<Part, 'type' | 'subtype' | 'parameters'> {
  if (value === undefined) return defaultType;
  const parsed = parseParametrisedValue(value);
  const names = /^([\w!#$%&'*+.^`{|}~-]+)\s*\/\s*([\w!#$%&'*+.^`{|}~-]+)/.exec(parsed.value);
  const [, type, subtype] = names ?? [];
  if (type === undefined || subtype === undefined) {
    // A bare `text` is what early programs wrote; anything else tells nothing.
    return /^text$/i.test(parsed.value) ? { ...plainType, ...nonEmpty(parsed.parameters) } : plainType;
  }
  const lower = { type: type.toLowerCase(), subtype: subtype.toLowerCase() };
  const plain = lower.type === 'text' && lower.subtype === 'plain' && parsed.parameters.length === 0;
  return plain ? plainType : { ...lower, parameters: parsed.parameters };
}

function nonEmpty(parameters: Part['parameters']): Partial<Pick<Part, 'parameters'>> {
  return parameters.length === 0 ? {} : { parameters };
}

/** Lower-case, and the misspellings seen in real mail put right: `7-bit`, `8bits`, `quoted printable`, `base64;`. */
function readEncoding(value: string): string {
  const written = withoutComments(value).toLowerCase().replace(/[;,].*$/s, '').trim();
  const plain = written.replace(/[\s"_-]/g, '').replace(/^(7|8)bits$/, '$1bit');
  if (plain === 'quotedprintable') return 'quoted-printable';
  if (plain === '7bit' || plain === '8bit' || plain === 'binary' || plain === 'base64') return plain;
  return /^[!-~]+$/.test(written) ? written : '7bit';
}

function readDisposition(value: string): Part['disposition'] {
  const parsed = parseParametrisedValue(value);
  const type = parsed.value.toLowerCase();
  if (/^[\w!#$%&'*+.^`{|}~-]+$/.test(type)) return { type, parameters: parsed.parameters };
  // A disposition without a type, only with parameters, still tells a file name (RFC 2183 section 2.8: treat as attachment).
  return parsed.parameters.length === 0 ? undefined : { type: 'attachment', parameters: parsed.parameters };
}
