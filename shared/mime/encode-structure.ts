/**
 * The stored form of a MessageStructure: one version byte, then JSON of nested arrays (no names, 0 for undefined). JSON,
 * since the engine's own parser beats anything written by hand, and a person can read it in a dump. The head can be read
 * without the parts, which are most of it: the last number says where it begins.
 */
import { Failure } from '../base/failure.ts';
import type { Envelope, EnvelopeAddress, MessageHead, MessageStructure, Part } from './structure.ts';

/** First byte of the stored form; raise it when the arrays change, and keep reading the old. */
const version = 1;

type Optional<T> = T | 0;

/** Names and values in turn. */
type StoredParameters = string[];

/** name, route, mailbox, host of each address in turn. */
type StoredAddresses = Optional<string>[];

type StoredEnvelope = [
  date: Optional<string>, subject: Optional<string>, from: StoredAddresses, sender: Optional<StoredAddresses>,
  replyTo: Optional<StoredAddresses>, to: StoredAddresses, cc: StoredAddresses, bcc: StoredAddresses,
  inReplyTo: Optional<string>, messageId: Optional<string>,
];

type StoredPart = [
  type: string, subtype: string, parameters: StoredParameters, encoding: string, headerStart: number, bodyStart: number,
  bodyEnd: number, lines: number, children: StoredPart[], envelope: Optional<StoredEnvelope>, id: Optional<string>,
  description: Optional<string>, dispositionType: Optional<string>, dispositionParameters: StoredParameters,
  language: readonly string[], location: Optional<string>, md5: Optional<string>,
];

/** `fromReferences` and what follows it are missing in what was stored before they were thought of. */
type StoredHead = [
  envelope: StoredEnvelope, sentAtMs: number | null, references: readonly string[], preview: string, hasAttachment: 0 | 1,
  fromReferences?: number, headStart?: number,
];

/** Makes the stored form. */
export function encodeStructure(structure: MessageStructure): Buffer {
  const head: StoredHead = [
    storeEnvelope(structure.envelope), structure.sentAtMs ?? null, structure.references, structure.preview,
    structure.hasAttachment ? 1 : 0, structure.fromReferences,
  ];
  const before = ` [${JSON.stringify(storePart(structure.root))},`;
  const encoded = Buffer.from(`${before}${JSON.stringify(head).slice(1, -1)},${String(Buffer.byteLength(before))}]`, 'utf8');
  encoded[0] = version;
  return encoded;
}

/** Reads the stored form. @throws Failure `storage-failure` when it is none. */
export function decodeStructure(bytes: Buffer): MessageStructure {
  const [root, ...head] = parseStored<[StoredPart, ...StoredHead]>(bytes, () => bytes.toString('utf8', 1));
  return { root: loadPart(root), ...loadHead(head) };
}

/** Reads the head of the stored form alone, several times faster. @throws Failure `storage-failure` when it is none. */
export function decodeHead(bytes: Buffer): MessageHead {
  const headStart = numberAtEnd(bytes);
  if (headStart < earliestHead) return decodeStructure(bytes); // it is the last value of the older form
  return loadHead(parseStored<StoredHead>(bytes, () => `[${bytes.toString('utf8', headStart)}`));
}

/** Behind `version [[],`. */
const earliestHead = 5;

/** The number that stands before the last bracket. */
function numberAtEnd(bytes: Buffer): number {
  let number = 0;
  let weight = 1;
  for (let at = bytes.length - 2; at > 0; at -= 1, weight *= 10) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    number += digit * weight;
  }
  return number;
}

function parseStored<Stored>(bytes: Buffer, text: () => string): Stored {
  if (bytes[0] !== version) throw new Failure('storage-failure', 'a stored message structure has an unknown version');
  try {
    return JSON.parse(text()) as Stored;
  } catch (cause) {
    throw new Failure('storage-failure', 'a stored message structure is damaged', { cause });
  }
}

function loadHead([envelope, sentAtMs, references, preview, hasAttachment, fromReferences]: StoredHead): MessageHead {
  return {
    envelope: loadEnvelope(envelope), sentAtMs: sentAtMs ?? undefined, references,
    fromReferences: fromReferences ?? references.length, preview, hasAttachment: hasAttachment === 1,
  };
}

function storePart(part: Part): StoredPart {
  return [
    part.type, part.subtype, part.parameters.flat(), part.encoding, part.headerStart, part.bodyStart, part.bodyEnd,
    part.lines, part.children.map(storePart), part.envelope === undefined ? 0 : storeEnvelope(part.envelope),
    part.id ?? 0, part.description ?? 0, part.disposition?.type ?? 0, part.disposition?.parameters.flat() ?? [],
    part.language, part.location ?? 0, part.md5 ?? 0,
  ];
}

function loadPart(stored: StoredPart): Part {
  const [
    type, subtype, parameters, encoding, headerStart, bodyStart, bodyEnd, lines, children, envelope, id, description,
    dispositionType, dispositionParameters, language, location, md5,
  ] = stored;
  return {
    type, subtype, parameters: loadParameters(parameters), id: load(id), description: load(description), encoding,
    disposition: dispositionType === 0
      ? undefined
      : { type: dispositionType, parameters: loadParameters(dispositionParameters) },
    language, location: load(location), md5: load(md5), headerStart, bodyStart, bodyEnd, lines,
    children: children.map(loadPart), envelope: envelope === 0 ? undefined : loadEnvelope(envelope),
  };
}

function loadParameters(stored: StoredParameters): [string, string][] {
  const parameters: [string, string][] = [];
  for (let at = 0; at + 1 < stored.length; at += 2) parameters.push([stored[at] ?? '', stored[at + 1] ?? '']);
  return parameters;
}

/** Sender and Reply-To mostly are copies of From (RFC 9051 section 7.5.2): then 0 stands for them. */
function storeEnvelope(envelope: Envelope): StoredEnvelope {
  const from = storeAddresses(envelope.from);
  const unlessFrom = (list: readonly EnvelopeAddress[]): Optional<StoredAddresses> =>
    list === envelope.from ? 0 : storeAddresses(list);
  return [
    envelope.date ?? 0, envelope.subject ?? 0, from, unlessFrom(envelope.sender), unlessFrom(envelope.replyTo),
    storeAddresses(envelope.to), storeAddresses(envelope.cc), storeAddresses(envelope.bcc), envelope.inReplyTo ?? 0,
    envelope.messageId ?? 0,
  ];
}

function loadEnvelope(stored: StoredEnvelope): Envelope {
  const [date, subject, storedFrom, sender, replyTo, to, cc, bcc, inReplyTo, messageId] = stored;
  const from = loadAddresses(storedFrom);
  return {
    date: load(date), subject: load(subject), from,
    sender: sender === 0 ? from : loadAddresses(sender),
    replyTo: replyTo === 0 ? from : loadAddresses(replyTo),
    to: loadAddresses(to), cc: loadAddresses(cc), bcc: loadAddresses(bcc), inReplyTo: load(inReplyTo),
    messageId: load(messageId),
  };
}

function storeAddresses(addresses: readonly EnvelopeAddress[]): StoredAddresses {
  return addresses.flatMap(({ name, route, mailbox, host }) => [name ?? 0, route ?? 0, mailbox ?? 0, host ?? 0]);
}

function loadAddresses(stored: StoredAddresses): EnvelopeAddress[] {
  const addresses: EnvelopeAddress[] = [];
  for (let at = 0; at + 3 < stored.length; at += 4) {
    addresses.push({
      name: load(stored[at] ?? 0), route: load(stored[at + 1] ?? 0), mailbox: load(stored[at + 2] ?? 0),
      host: load(stored[at + 3] ?? 0),
    });
  }
  return addresses;
}

function load<T>(stored: Optional<T>): T | undefined {
  return stored === 0 ? undefined : stored;
}
