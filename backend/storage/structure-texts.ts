/**
 * What IMAP says of a message's structure, put into words once, at delivery: mail programs ask for ENVELOPE and BODYSTRUCTURE of whole
 * mailboxes, and to take a structure apart again costs more than all the rest of the answer.
 */
import type { StringForm } from '../../shared/imap/strings.ts';
import { decodeHead, decodeStructure, encodeStructure } from '../../shared/mime/encode-structure.ts';
import type { MessageStructure } from '../../shared/mime/structure.ts';
import { formatBody, formatEnvelope } from '../../shared/imap/structure-response.ts';
import type { StructureItem } from './interface.ts';

/** A structure as the index keeps it. */
export interface KeptStructure {
  readonly encoded: Buffer;
  /** Bytes of ENVELOPE and bytes of the message's header (32 bits each) · ENVELOPE · BODYSTRUCTURE. Nothing where header fields are not ASCII: then the words depend on who asks. */
  readonly texts: Buffer | undefined;
  /** Fields of the header (shared/mime/kept-fields.ts); undefined: not known here, to be kept when somebody has read the message. */
  readonly fields: Buffer | undefined;
}

const textsStart = 8;

export function keptStructure(structure: MessageStructure, fields: Buffer | undefined, encoded = encodeStructure(structure)): KeptStructure {
  const envelope = formatEnvelope(structure.envelope, 'utf-8');
  const words = `${' '.repeat(textsStart)}${envelope}${formatBody(structure.root, { data: 'extended', strings: 'utf-8' })}`;
  if (/[^\x00-\x7f]/.test(words)) return { encoded, texts: undefined, fields };
  const texts = Buffer.from(words, 'latin1');
  texts.writeUInt32LE(envelope.length, 0);
  texts.writeUInt32LE(structure.root.bodyStart, 4);
  return { encoded, texts, fields };
}

/** Takes one of the texts as they were kept: only that is made a string of. The first `length` bytes are the texts'. */
export function keptWords(item: StructureItem): (kept: Buffer, length: number) => string {
  if (item === 'ENVELOPE') return (kept) => kept.toString('latin1', textsStart, envelopeEnd(kept));
  return (kept, length) => kept.toString('latin1', envelopeEnd(kept), length);
}

function envelopeEnd(kept: Buffer): number {
  return textsStart + kept.readUInt32LE(0);
}

/** Where the message's header ends, with the empty line. */
export function readHeaderEnd(kept: Buffer): number {
  return kept.readUInt32LE(4);
}

/** A text that was not kept. */
export function madeWords(encoded: Buffer, item: StructureItem, form: StringForm): string {
  return item === 'ENVELOPE' ? formatEnvelope(decodeHead(encoded).envelope, form) : formatBody(decodeStructure(encoded).root, { data: 'extended', strings: form });
}
