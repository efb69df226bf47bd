/** Messages of one storage: each has its bytes in a pack and its structure once, however many mailboxes it is in. Questions are for `read`, changes for `write`. */
import { keysUnder } from './environment.ts';
import type { Key } from './environment.ts';
import type { Tables } from './keys.ts';
import { newMessageId, noteMessageId } from './message-ids.ts';
import type { PackPlace, Packs } from './packs.ts';
import { ReadAhead } from './read-ahead.ts';
import type { KeptStructure } from './structure-texts.ts';

/** What is recorded of a message. */
export interface MessageEntry {
  readonly references: number;
  readonly place: PackPlace;
}

export class MessageStore {
  readonly #tables: Tables;
  readonly #packs: Packs;
  /** For look-ups of many messages, one after the other. `[messageId]` is an array of doubles, which V8 turns into one of objects each time where the binding reads it; this one is of objects from the start. */
  readonly #key: [number | string] = [''];

  constructor(tables: Tables, packs: Packs) {
    this.#tables = tables;
    this.#packs = packs;
  }

  /** Where the bytes of that message lie; undefined when it is in no mailbox any more. */
  place(messageId: number): PackPlace | undefined {
    return this.#get(messageId)?.place;
  }

  /** Of all messages. */
  places(): readonly PackPlace[] {
    return this.#tables.messages.range(keysUnder([])).map(({ value }) => decodeMessage(value).place);
  }

  /** The encoded structure. */
  structure(messageId: number): Buffer | undefined {
    return this.#tables.structures.get(this.#keyOf(messageId));
  }

  /** What `read` takes from IMAP's words for the structure (structure-texts.ts), undefined where they were not kept; it may ask no table. */
  texts<T>(messageId: number, read: (kept: Buffer, length: number) => T): T | undefined {
    return this.#tables.structureTexts.look(this.#keyOf(messageId), read);
  }

  /** The same for who asks for many messages. */
  textsOfMany<T>(read: (kept: Buffer, length: number) => T): ReadAhead<T> {
    return new ReadAhead(this.#tables.structureTexts, read);
  }

  /** Fields of its header, latin1, as shared/mime/kept-fields.ts reads them; undefined where they were not kept yet. */
  fields(messageId: number): string | undefined {
    return this.#tables.headerFields.text(this.#keyOf(messageId));
  }

  /** The same for who asks for many messages: what `read` takes from the bytes. */
  fieldsOfMany<T>(read: (fields: Buffer, length: number) => T): ReadAhead<T> {
    return new ReadAhead(this.#tables.headerFields, read);
  }

  /** Only for what is read at once: another message's after the next call. */
  #keyOf(messageId: number): Key {
    this.#key[0] = messageId;
    return this.#key;
  }

  /** A new message with one reference; its bytes are settled. One that comes from another storage brings its number. */
  add(place: PackPlace, structure: KeptStructure, number?: number): number {
    const messageId = number ?? newMessageId(this.#tables);
    const write = number === undefined ? 'insert' : 'put'; // under a number that was brought along there may be something left
    if (number !== undefined) noteMessageId(this.#tables, number);
    this.#packs.retain(place);
    this.#tables.structures[write]([messageId], structure.encoded);
    if (structure.texts !== undefined) this.#tables.structureTexts[write]([messageId], structure.texts);
    if (structure.fields !== undefined) this.#tables.headerFields[write]([messageId], structure.fields);
    this.#tables.messages[write]([messageId], encodeMessage({ references: 1, place }));
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
    this.#tables.structureTexts.remove([messageId]);
    this.#tables.headerFields.remove([messageId]);
    this.#packs.release(entry.place);
  }

  /** The same bytes lie at `to` as well, settled: they are read there from now on. `elsewhere`: the message is gone, or not at `from` any more, and nothing was changed. */
  relocate(messageId: number, from: PackPlace, to: PackPlace): 'relocated' | 'elsewhere' {
    const entry = this.#get(messageId);
    if (entry?.place.pack !== from.pack || entry.place.offset !== from.offset) return 'elsewhere';
    this.#packs.retain(to);
    this.#packs.release(from);
    this.#put(messageId, { ...entry, place: to });
    return 'relocated';
  }

  #require(messageId: number): MessageEntry {
    const entry = this.#get(messageId);
    if (entry === undefined) throw new Error(`message ${messageId} is in a mailbox but not in the index`);
    return entry;
  }

  #get(messageId: number): MessageEntry | undefined {
    const value = this.#tables.messages.peek(this.#keyOf(messageId));
    return value === undefined ? undefined : decodeMessage(value);
  }

  #put(messageId: number, entry: MessageEntry): void {
    this.#tables.messages.put([messageId], encodeMessage(entry));
  }
}

export function encodeMessage({ references, place }: MessageEntry): Buffer {
  const value = Buffer.allocUnsafe(24); // as in setCounter
  value.writeUInt32LE(references, 0);
  value.writeUInt32LE(place.pack, 4);
  value.writeDoubleLE(place.offset, 8);
  value.writeDoubleLE(place.length, 16);
  return value;
}

/** An entry of the table of messages. */
export function decodeMessage(value: Buffer): MessageEntry {
  return {
    references: value.readUInt32LE(0),
    place: { pack: value.readUInt32LE(4), offset: value.readDoubleLE(8), length: value.readDoubleLE(16) },
  };
}
