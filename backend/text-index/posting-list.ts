/** Lists of documents (their ranks in a segment, ascending) as bytes, and sets of them as bits. Pure. */

/** One bit for each rank. */
export type RankSet = Uint8Array;

const asDifferences = 0;
const asBits = 1;

export function emptySet(documents: number): RankSet {
  return new Uint8Array((documents + 7) >>> 3);
}

export function hasRank(set: RankSet, rank: number): boolean {
  return (((set[rank >>> 3] ?? 0) >>> (rank & 7)) & 1) === 1;
}

export function addRank(set: RankSet, rank: number): void {
  set[rank >>> 3] = (set[rank >>> 3] ?? 0) | (1 << (rank & 7));
}

export function isEmpty(set: RankSet): boolean {
  for (let at = 0; at < set.length; at += 1) if (set[at] !== 0) return false;
  return true;
}

/** Keeps in `set` what is in `other` too. */
export function intersect(set: RankSet, other: RankSet): void {
  for (let at = 0; at < set.length; at += 1) set[at] = (set[at] ?? 0) & (other[at] ?? 0);
}

/** Adds what is in `other`. */
export function unite(set: RankSet, other: RankSet): void {
  for (let at = 0; at < set.length; at += 1) set[at] = (set[at] ?? 0) | (other[at] ?? 0);
}

/** Bytes that become more. */
export class ByteSink {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where to write at most so many bytes; `wrote` says how many these were. */
  room(most: number): Buffer {
    if (this.#length + most > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + most));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    return this.#bytes.subarray(this.#length, this.#length + most);
  }

  wrote(count: number): void {
    this.#length += count;
  }
}

/** The shorter of both forms: differences (LEB128, less one each), or a bit for each document. */
export function encodeList(ranks: readonly number[], documents: number, into: ByteSink): void {
  const most = 1 + ((documents + 7) >>> 3);
  const bytes = into.room(Math.min(most, 1 + 5 * ranks.length));
  bytes[0] = asDifferences;
  let length = 1;
  let next = 0;
  for (const rank of ranks) {
    let difference = rank - next;
    if (length + 5 > bytes.length && ranks.length * 5 + 1 > most) return encodeBits(ranks, documents, into);
    for (; difference >= 0x80; difference >>>= 7) bytes[length++] = (difference & 0x7f) | 0x80;
    bytes[length++] = difference;
    next = rank + 1;
  }
  into.wrote(length);
}

function encodeBits(ranks: readonly number[], documents: number, into: ByteSink): void {
  const size = 1 + ((documents + 7) >>> 3);
  const bytes = into.room(size).fill(0);
  bytes[0] = asBits;
  const set = bytes.subarray(1);
  for (const rank of ranks) addRank(set, rank);
  into.wrote(size);
}

/** Adds the list's documents to `set`. */
export function addList(bytes: Buffer, set: RankSet): void {
  if (bytes[0] === asBits) unite(set, bytes.subarray(1));
  else eachDifference(bytes, (rank) => addRank(set, rank));
}

/** The ranks of the list, ascending. */
export function decodeList(bytes: Buffer): number[] {
  const ranks: number[] = [];
  if (bytes[0] !== asBits) {
    eachDifference(bytes, (rank) => ranks.push(rank));
    return ranks;
  }
  const set = bytes.subarray(1);
  for (let rank = 0; rank < set.length * 8; rank += 1) if (hasRank(set, rank)) ranks.push(rank);
  return ranks;
}

function eachDifference(bytes: Buffer, hear: (rank: number) => void): void {
  let next = 0;
  let at = 1;
  while (at < bytes.length) {
    let difference = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[at++] ?? 0;
      difference |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    next += difference;
    hear(next);
    next += 1;
  }
}
