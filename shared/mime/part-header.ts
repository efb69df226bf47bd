/** What a finished header section says about its part, and, for a message, its envelope. Pure; never throws. */
import { parseAddressList } from './address.ts';
import { parseDate } from './date.ts';
import { fieldsByName, parseParametrisedValue, splitFields, withoutComments } from './header.ts';
import type { FieldsByName } from './header.ts';
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
  fields: FieldsByName,
  defaultType: Pick<Part, 'type' | 'subtype' | 'parameters'>,
): PartHeader {
  const disposition = firstValue(fields, 'content-disposition');
  const language = firstValue(fields, 'content-language');
  const { type, subtype, parameters } = readType(firstValue(fields, 'content-type'), defaultType);
  return {
    type,
    subtype,
    parameters,
    id: presentValue(fields, 'content-id'),
    description: presentValue(fields, 'content-description'),
    encoding: readEncoding(firstValue(fields, 'content-transfer-encoding') ?? ''),
    disposition: disposition === undefined ? undefined : readDisposition(disposition),
    language: language === undefined ? [] : withoutComments(language).split(/[\s,]+/).filter((tag) => tag !== ''),
    location: presentValue(fields, 'content-location'),
    md5: presentValue(fields, 'content-md5'),
  };
}

/** Reads the fields of a message's own header. */
export function readMessageHeader(fields: FieldsByName): MessageHeader {
  const date = firstValue(fields, 'date');
  const { references, fromReferences } = readReferences(fields);
  return {
    envelope: readEnvelope(fields),
    sentAtMs: date === undefined ? undefined : parseDate(date),
    references,
    fromReferences,
  };
}

/** The fields of a header section (latin1) as it stands in the message. */
export function readFields(section: string): FieldsByName {
  return fieldsByName(splitFields(section));
}

/** From, Sender and Reply-To fall back as RFC 9051 section 7.5.2 wants it. */
function readEnvelope(fields: FieldsByName): Envelope {
  const from = readAddresses(fields, 'from');
  const sender = readAddresses(fields, 'sender');
  const replyTo = readAddresses(fields, 'reply-to');
  return {
    date: firstValue(fields, 'date'),
    subject: firstValue(fields, 'subject'),
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
function readAddresses(fields: FieldsByName, name: string): EnvelopeAddress[] {
  const values = fields.get(name);
  if (values === undefined) return []; // most of the fields are seldom there
  const [only] = values;
  return values.length === 1 && only !== undefined ? parseAddressList(only) : values.flatMap(parseAddressList);
}

function readReferences(fields: FieldsByName): Pick<MessageHead, 'references' | 'fromReferences'> {
  const own = idsIn(fields, 'references');
  const parents = idsIn(fields, 'in-reply-to');
  if (own.size === 0 && parents.size === 0) return { references: [], fromReferences: 0 };
  const answered = [...parents].filter((id) => !own.has(id));
  const references = [...own, ...answered].slice(-maxReferences);
  return { references, fromReferences: Math.min(own.size, references.length) };
}

const noIds: ReadonlySet<string> = new Set();

function idsIn(fields: FieldsByName, name: string): ReadonlySet<string> {
  const value = firstValue(fields, name);
  return value === undefined ? noIds : new Set(value.match(/<[^<>\s]+>/g));
}

/** The value of the first field of that name (lower-case). */
function firstValue(fields: FieldsByName, name: string): string | undefined {
  return fields.get(name)?.[0];
}

function presentValue(fields: FieldsByName, name: string): string | undefined {
  const value = firstValue(fields, name);
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

const usualEncodings: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary', 'base64', 'quoted-printable']);

/** Lower-case, and the misspellings seen in real mail put right: `7-bit`, `8bits`, `quoted printable`, `base64;`. */
function readEncoding(value: string): string {
  if (usualEncodings.has(value)) return value;
  if (value === '') return '7bit';
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
