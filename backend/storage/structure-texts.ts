/**
 * What IMAP says of a message's structure, put into words once, at delivery: mail programs ask for ENVELOPE and BODYSTRUCTURE of whole
 * mailboxes, and to take a structure apart again costs more than all the rest of the answer.
 */
import type { StringForm } from '../../shared/imap/strings.ts';
import { decodeHead, decodeStructure, encodeStructure } from '../../shared/mime/encode-structure.ts';
import type { MessageStructure } from '../../shared/mime/structure.ts';
import { formatBody, formatEnvelope } from '../../shared/imap/structure-response.ts';
import type { StructureTexts } from './interface.ts';

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

/** Texts as they were kept, in latin1. */
export class KeptTexts implements StructureTexts {
  readonly #kept: string;
  readonly #envelopeEnd: number;

  constructor(kept: string) {
    this.#kept = kept;
    this.#envelopeEnd = textsStart + numberAt(kept, 0);
  }

  envelope(): string {
    return this.#kept.slice(textsStart, this.#envelopeEnd);
  }

  bodyStructure(): string {
    return this.#kept.slice(this.#envelopeEnd);
  }
}

/** Where the message's header ends, with the empty line. */
export function readHeaderEnd(kept: string): number {
  return numberAt(kept, 4);
}

function numberAt(kept: string, at: number): number {
  return kept.charCodeAt(at) + (kept.charCodeAt(at + 1) << 8) + (kept.charCodeAt(at + 2) << 16) + kept.charCodeAt(at + 3) * 2 ** 24;
}

/** Texts that were not kept. */
export class MadeTexts implements StructureTexts {
  readonly #encoded: Buffer;

  constructor(encoded: Buffer) {
    this.#encoded = encoded;
  }

  envelope(form: StringForm): string {
    return formatEnvelope(decodeHead(this.#encoded).envelope, form);
  }

  bodyStructure(form: StringForm): string {
    return formatBody(decodeStructure(this.#encoded).root, { data: 'extended', strings: form });
  }
}
