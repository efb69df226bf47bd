/**
 * Where in messages a token stands, as bytes (pure). Of each message of its list, in the same order: the places, ascending. A place is how many
 * tokens of the message come before it, and what stands before it there. All are differences (LEB128) to the place before; the lowest bit says whether the
 * message has another one.
 */
import { hasRank } from './posting-list.ts';
import type { ByteSink, RankSet } from './posting-list.ts';
import type { Before } from './tokens.ts';

/** A number for the token of that count with that before it. */
export type Place = number;

const beforeBits = 3;

export function placeOf(index: number, before: Before): Place {
  return (index << beforeBits) | before;
}

export function indexIn(place: Place): number {
  return place >>> beforeBits;
}

export function beforeIn(place: Place): Before {
  return place & ((1 << beforeBits) - 1);
}

/** The first `count` places, with their messages' ranks; both backwards. */
export interface Backwards {
  readonly ranks: Int32Array;
  readonly places: Int32Array;
  readonly count: number;
}

export function encodePlaces({ ranks, places, count }: Backwards, into: ByteSink): void {
  const bytes = into.room(5 * count);
  let length = 0;
  let last = 0;
  for (let at = count - 1; at >= 0; at -= 1) {
    const place = places[at] ?? 0;
    const goesOn = at > 0 && ranks[at - 1] === ranks[at];
    let value = ((place - last) << 1) | (goesOn ? 1 : 0);
    for (; value >= 0x80; value >>>= 7) bytes[length++] = (value & 0x7f) | 0x80;
    bytes[length++] = value;
    last = goesOn ? place : 0;
  }
  into.wrote(length);
}

/** The messages of a token and its places in them. */
export interface PlacesOfToken {
  readonly ranks: readonly number[];
  readonly bytes: Buffer;
}

/** Hears each place in the messages that count, with its message. */
export function eachPlace({ ranks, bytes }: PlacesOfToken, counting: RankSet | undefined, hear: (rank: number, place: Place) => void): void {
  let at = 0;
  for (let next = 0; next < ranks.length; next += 1) {
    const rank = ranks[next] ?? 0;
    let place = 0;
    let value: number;
    if (counting !== undefined && !hasRank(counting, rank)) {
      at = endOfPlaces(bytes, at);
      continue;
    }
    do {
      value = 0;
      let shift = 0;
      let byte: number;
      do {
        byte = bytes[at++] ?? 0;
        value |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
      place += value >>> 1;
      hear(rank, place);
    } while ((value & 1) === 1);
  }
}

/** Where the bytes of each of so many messages end. */
export function endsOfPlaces(bytes: Buffer, messages: number): number[] {
  const ends: number[] = [];
  let at = 0;
  while (ends.length < messages && at < bytes.length) {
    at = endOfPlaces(bytes, at);
    ends.push(at);
  }
  return ends;
}

/** Where those of the message end that begin there. */
function endOfPlaces(bytes: Buffer, from: number): number {
  let at = from;
  let more = 1;
  while (more === 1 && at < bytes.length) {
    more = (bytes[at] ?? 0) & 1;
    while ((bytes[at] ?? 0) >= 0x80) at += 1;
    at += 1;
  }
  return at;
}
