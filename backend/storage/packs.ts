/**
 * What a set of append-only packs offers: message bytes are staged (written), settled (on stable storage), counted as
 * live in an environment's transactions, and read by position. A storage has one set, the queue has one of its own.
 */

/** Where bytes lie: `length` bytes from `offset` in the pack of that number. */
export interface PackPlace {
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
}

/** Tells places apart; for maps. */
export function placeKey({ pack, offset }: PackPlace): string {
  return `${String(pack)}:${String(offset)}`;
}

/** A message on its way: pieces that are all here, which is for small ones and costs the least (nobody changes them until the message is stored), or pieces as they come. */
export type MessageBytes = readonly Buffer[] | AsyncIterable<Buffer>;

export function isHere(bytes: MessageBytes): bytes is readonly Buffer[] {
  return !(Symbol.asyncIterator in bytes);
}

/** How a stream of bytes is staged. */
export interface StageOptions {
  /** More than this many bytes are refused with `message-too-big`. */
  readonly maxBytes: number;
  /** Whose bytes these are, e.g. the account's address; written into the record so that a pack explains itself. */
  readonly owner: string;
  /** Hears every chunk, in order, on the way. */
  readonly onChunk?: (chunk: Buffer) => void;
}

/** Bytes that were written, not yet certainly on stable storage. They can be read at once with `Packs.read`. */
export interface StagedBytes {
  readonly place: PackPlace;
  /** SHA-256. */
  readonly digest: Buffer;
  /**
   * Resolves when the bytes (and the name of their pack) are on stable storage; callers share one flush. Await it
   * before the transaction that says `retain`. Rejects with `storage-failure`; then the bytes must be staged again.
   */
  settled(): Promise<void>;
  /** Call it when nothing will `retain` the bytes any more, whether or not something did. Idempotent. */
  done(): void;
}

/** What a pack remembers of a delivery, so that an index can be rebuilt from packs alone. */
export interface DeliveryNote {
  readonly place: PackPlace;
  readonly account: string;
  readonly mailbox: string;
  readonly internalDateMs: number;
  /** Bits of `Flag`. */
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Where the same bytes lay before they were copied: what was noted of that place counts no more. */
  readonly copiedFrom?: PackPlace;
}

/** Of what is read along with others. `used again`: it is to be looked at before the next is read. */
export type SeriesMemory = 'own' | 'used again';

/** What reads many messages, one after the other: what it answers is not to be changed. */
export interface Series extends Pick<Packs, 'read'> {
  /** All bytes of the place, where they were read along with others. */
  atHand(place: PackPlace): Buffer | undefined;
}

/** The packs in one directory. All processes of a node may use it at once; each writes packs of its own. */
export interface Packs {
  /** Writes the source's bytes. Throws `message-too-big`, `storage-failure`, `storage-full`, or what the source threw. */
  stage(source: MessageBytes, options: StageOptions): Promise<StagedBytes>;
  /** Writes a note, beside its message if that was staged here and is not done; resolves when it is on stable storage. */
  note(note: DeliveryNote): Promise<void>;
  /** The bytes from `offset` (within the place), clipped to the place. Throws `storage-failure` when the pack is gone. */
  read(place: PackPlace, offset: number, length: number): Promise<Buffer>;
  series(memory: SeriesMemory): Series;
  /** All the bytes, piece by piece, e.g. to stage them elsewhere. */
  pieces(place: PackPlace): AsyncIterable<Buffer>;
  /** Counts the bytes as live. Only inside the environment's `write`; once for each piece, further references are the caller's to count. */
  retain(place: PackPlace): void;
  /** Counts the bytes as dead. Only inside the environment's `write`. */
  release(place: PackPlace): void;
  /** Packs stay, whatever becomes of their bytes, until what this answers is called or this process has ended: for who reads what an earlier commit names. */
  hold(): Promise<() => Promise<void>>;
  /** Sizes of the pack files and how much of them is live, bytes. */
  usage(): Promise<{ readonly bytes: number; readonly liveBytes: number }>;
  /** Deletes packs that nobody writes any more and in which nothing has been live for `idleMs`; answers how many. */
  removeDead(idleMs: number): Promise<number>;
  /** Finishes and closes the packs being written. Staged bytes that were not retained are lost. */
  close(): Promise<void>;
}
