/**
 * What IMAP says of a message's structure, put into words once, at delivery: mail programs ask for ENVELOPE and BODYSTRUCTURE of whole
 * mailboxes, and to take a structure apart again costs more than all the rest of the answer.
 */
import type { StringForm } from '../../shared/imap/strings.ts';
import { decodeStructure, encodeStructure } from '../../shared/mime/encode-structure.ts';
import type { MessageStructure } from '../../shared/mime/structure.ts';
import { formatBody, formatEnvelope } from '../../shared/imap/structure-response.ts';
import type { StructureTexts } from './interface.ts';

/** A structure as the index keeps it. */
export interface KeptStructure {
  readonly encoded: Buffer;
  /** Bytes of ENVELOPE and bytes of the message's header (32 bits each) · ENVELOPE · BODYSTRUCTURE. Nothing where header fields are not ASCII: then the words depend on who asks. */
  readonly texts: Buffer | undefined;
}

const textsStart = 8;

export function keptStructure(structure: MessageStructure, encoded = encodeStructure(structure)): KeptStructure {
  const envelope = formatEnvelope(structure.envelope, 'utf-8');
  const words = `${' '.repeat(textsStart)}${envelope}${formatBody(structure.root, { data: 'extended', strings: 'utf-8' })}`;
  if (/[^\x00-\x7f]/.test(words)) return { encoded, texts: undefined };
  const texts = Buffer.from(words, 'latin1');
  texts.writeUInt32LE(envelope.length, 0);
  texts.writeUInt32LE(structure.root.bodyStart, 4);
  return { encoded, texts };
}

/** Texts as they were kept. */
export function readTexts(kept: Buffer): StructureTexts {
  const envelopeEnd = textsStart + kept.readUInt32LE(0);
  return { envelope: () => kept.toString('latin1', textsStart, envelopeEnd), bodyStructure: () => kept.toString('latin1', envelopeEnd) };
}

/** Where the message's header ends, with the empty line. */
export function readHeaderEnd(kept: Buffer): number {
  return kept.readUInt32LE(4);
}

/** Texts that were not kept. */
export function makeTexts(encoded: Buffer): StructureTexts {
  return {
    envelope: (form: StringForm) => formatEnvelope(decodeStructure(encoded).envelope, form),
    bodyStructure: (form: StringForm) => formatBody(decodeStructure(encoded).root, { data: 'extended', strings: form }),
  };
}
