/** Messages of one storage: each has its bytes in a pack and its structure once, however many mailboxes it is in. All methods but `find` run inside `write`. */
import type { Tables } from './keys.ts';
import { newMessageId } from './message-ids.ts';
import type { PackPlace, Packs } from './packs.ts';

/** What is recorded of a message. */
interface MessageEntry {
  readonly references: number;
  readonly place: PackPlace;
}

export class MessageStore {
  readonly #tables: Tables;
  readonly #packs: Packs;

  constructor(tables: Tables, packs: Packs) {
    this.#tables = tables;
    this.#packs = packs;
  }

  /** Where the bytes of that message lie; undefined when it is in no mailbox any more. */
  place(messageId: number): PackPlace | undefined {
    return this.#get(messageId)?.place;
  }

  /** The encoded structure. */
  structure(messageId: number): Buffer | undefined {
    return this.#tables.structures.get([messageId]);
  }

  /** A new message with one reference; its bytes are settled. One that comes from another storage brings its number. */
  add(place: PackPlace, structure: Buffer, messageId: number = newMessageId(this.#tables)): number {
    this.#packs.retain(place);
    this.#tables.structures.put([messageId], structure);
    this.#put(messageId, { references: 1, place });
    return messageId;
  }

  /** One reference more. */
  retain(messageId: number): void {
    const entry = this.#require(messageId);
    this.#put(messageId, { ...entry, references: entry.references + 1 });
  }

  /** One reference less; with the last the bytes are dead. */
  release(messageId: number): void {
    const entry = this.#require(messageId);
    if (entry.references > 1) return this.#put(messageId, { ...entry, references: entry.references - 1 });
    this.#tables.messages.remove([messageId]);
    this.#tables.structures.remove([messageId]);
    this.#packs.release(entry.place);
  }

  #require(messageId: number): MessageEntry {
    const entry = this.#get(messageId);
    if (entry === undefined) throw new Error(`message ${messageId} is in a mailbox but not in the index`);
    return entry;
  }

  #get(messageId: number): MessageEntry | undefined {
    const value = this.#tables.messages.get([messageId]);
    return value === undefined ? undefined : decodeMessage(value);
  }

  #put(messageId: number, entry: MessageEntry): void {
    const value = Buffer.alloc(24);
    value.writeUInt32LE(entry.references, 0);
    value.writeUInt32LE(entry.place.pack, 4);
    value.writeDoubleLE(entry.place.offset, 8);
    value.writeDoubleLE(entry.place.length, 16);
    this.#tables.messages.put([messageId], value);
  }
}

/** An entry of the table of messages. */
export function decodeMessage(value: Buffer): MessageEntry {
  return {
    references: value.readUInt32LE(0),
    place: { pack: value.readUInt32LE(4), offset: value.readDoubleLE(8), length: value.readDoubleLE(16) },
  };
}
