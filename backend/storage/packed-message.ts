/** A stored message for reading: bytes from a pack, which may be compacted meanwhile; its structure is decoded when somebody asks. */
import { Failure } from '../../shared/base/failure.ts';
import { decodeHead, decodeStructure } from '../../shared/mime/encode-structure.ts';
import type { MessageHead, MessageStructure } from '../../shared/mime/structure.ts';
import type { Environment } from './environment.ts';
import type { StoredMessage } from './interface.ts';
import type { MessageStore } from './message-store.ts';
import type { PackPlace, Packs, Series } from './packs.ts';
import { readHeaderEnd } from './structure-texts.ts';

/** What messages of a storage are read with. */
export interface MessageReader {
  readonly environment: Environment;
  readonly messages: MessageStore;
  readonly packs: Pick<Packs, 'read'> & Partial<Pick<Series, 'atHand'>>;
}

/** A message as it was found in one commit. */
interface Found {
  readonly messageId: number;
  readonly place: PackPlace;
  /** Encoded; looked up when it is asked for, where it is not given. */
  readonly structure?: Buffer;
}

export class PackedMessage implements StoredMessage {
  readonly #reader: MessageReader;
  readonly #messageId: number;
  #place: PackPlace;
  #encoded: Buffer | undefined;
  #decoded: MessageStructure | undefined;
  #head: MessageHead | undefined;

  constructor(reader: MessageReader, { messageId, place, structure }: Found) {
    this.#reader = reader;
    this.#messageId = messageId;
    this.#place = place;
    this.#encoded = structure;
  }

  get size(): number {
    return this.#place.length;
  }

  get structure(): MessageStructure {
    this.#decoded ??= decodeStructure(this.#structure());
    return this.#decoded;
  }

  get head(): MessageHead {
    this.#head ??= this.#decoded ?? decodeHead(this.#structure());
    return this.#head;
  }

  get headerBytes(): number {
    const { environment, messages } = this.#reader;
    const kept = this.#decoded === undefined ? environment.read(() => messages.texts(this.#messageId, readHeaderEnd)) : undefined;
    return kept ?? this.structure.root.bodyStart;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const { environment, messages, packs } = this.#reader;
    try {
      return await packs.read(this.#place, offset, length);
    } catch (error) {
      const place = environment.read(() => messages.place(this.#messageId));
      if (place === undefined || (place.pack === this.#place.pack && place.offset === this.#place.offset)) throw error;
      this.#place = place; // its pack was compacted since
      return packs.read(place, offset, length);
    }
  }

  atHand(): Buffer | undefined {
    return this.#reader.packs.atHand?.(this.#place);
  }

  #structure(): Buffer {
    const { environment, messages } = this.#reader;
    this.#encoded ??= environment.read(() => messages.structure(this.#messageId));
    if (this.#encoded === undefined) throw new Failure('mailbox-missing', 'the message is gone');
    return this.#encoded;
  }
}
