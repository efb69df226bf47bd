/**
 * Orders of whole mailboxes, remembered: clients sort the same mailbox again with each page that they show. What messages are sorted by never changes,
 * so an order holds for other lists of messages as well, without those that went and with those that came.
 */
import { LRUCache } from 'lru-cache';
import { partitionPoint } from '../../shared/base/lower-bound.ts';
import type { SortCriterion } from '../../shared/imap/search-arguments.ts';
import { pick } from './found-list.ts';
import type { FoundList } from './found-list.ts';
import { comparison, keying } from './sort-order.ts';
import type { Keyed } from './sort-order.ts';
import type { View } from './view.ts';

interface Order {
  /** All messages of the mailbox, as it was. */
  readonly uids: readonly number[];
  /** Where in that list they stand, counted from 0, in order. */
  readonly positions: Uint32Array;
}

/** Positions in all orders together; one takes twelve bytes with its uid. */
const mostPositions = 2 ** 21;
/** What an order takes beside its positions, with its name: anybody can ask for thousands of orders of an empty mailbox. */
const leastSize = 64;
const unusedMs = 10 * 60_000;
/** Each that came is compared with some twenty others, which are looked up for it: of more the whole is sorted anew. */
const mostFresh = 100;

const orders = new LRUCache<string, Order>({ maxSize: mostPositions, sizeCalculation: ({ positions }) => leastSize + positions.length, ttl: unusedMs, updateAgeOnGet: true });

/** Undefined where the order depends on more than the messages. */
function nameOf({ lasting }: View, criteria: readonly SortCriterion[]): string | undefined {
  if (criteria.some(({ key }) => key === 'RELEVANCY')) return undefined;
  return `${lasting} ${criteria.map(({ key, direction }) => `${key} ${direction}`).join(' ')}`;
}

/** @param sorted as the criteria say; other than all messages of the view are of no use */
export function rememberOrder(view: View, criteria: readonly SortCriterion[], sorted: readonly Keyed[]): void {
  const name = nameOf(view, criteria);
  if (name !== undefined && sorted.length === view.count) orders.set(name, { uids: view.uids, positions: Uint32Array.from(sorted, ({ message }) => message.sequence - 1) });
}

/** The positions of all messages of the view in that order; undefined where it would have to be made. */
export function knownOrder(view: View, criteria: readonly SortCriterion[]): Uint32Array | undefined {
  const name = nameOf(view, criteria);
  const known = name === undefined ? undefined : orders.get(name);
  if (name === undefined || known === undefined || known.uids === view.uids) return known?.positions;
  const positions = carriedOver(view, criteria, known);
  if (positions !== undefined) orders.set(name, { uids: view.uids, positions });
  return positions;
}

/** The order of the view's messages by that of another list; undefined where they have too little in common. */
function carriedOver(view: View, criteria: readonly SortCriterion[], { uids, positions }: Order): Uint32Array | undefined {
  const { places, fresh } = placesOf(uids, view.uids);
  if (fresh.length > mostFresh) return undefined;
  const staying = new Uint32Array(view.count - fresh.length);
  let count = 0;
  for (const position of positions) {
    const place = places[position] ?? nowhere;
    if (place !== nowhere) staying[count++] = place;
  }
  return fresh.length === 0 ? staying : withFresh(view, criteria, { staying, fresh });
}

const nowhere = -1;

/** Where the uids of one list stand in the other, and what that has besides; both ascend. */
function placesOf(from: readonly number[], to: readonly number[]): { readonly places: Int32Array; readonly fresh: readonly number[] } {
  const places = new Int32Array(from.length).fill(nowhere);
  const fresh: number[] = [];
  let at = 0;
  for (let position = 0; position < to.length; position += 1) {
    const uid = to[position] ?? 0;
    while (at < from.length && (from[at] ?? 0) < uid) at += 1;
    if (from[at] === uid) places[at] = position;
    else fresh.push(position);
  }
  return { places, fresh };
}

/** Undefined where a message that has to be looked at is gone. */
function withFresh(view: View, criteria: readonly SortCriterion[], { staying, fresh }: { readonly staying: Uint32Array; readonly fresh: readonly number[] }): Uint32Array | undefined {
  const key = keying(view, criteria);
  const compare = comparison(criteria);
  const keyedAt = (position: number): Keyed | undefined => {
    const row = view.mailbox.row(view.uidAt(position));
    return row === undefined ? undefined : key({ sequence: position + 1, row });
  };
  const added = fresh.flatMap((position) => keyedAt(position) ?? []).sort(compare);
  if (added.length < fresh.length) return undefined;
  const merged = new Uint32Array(view.count);
  let [taken, at, gone] = [0, 0, 0];
  for (const one of added) {
    const before = partitionPoint(staying.length, (index) => {
      const other = keyedAt(staying[index] ?? 0);
      if (other === undefined) gone += 1;
      return other !== undefined && compare(other, one) < 0;
    });
    merged.set(staying.subarray(taken, before), at);
    at += before - taken;
    merged[at++] = one.message.sequence - 1;
    taken = before;
  }
  merged.set(staying.subarray(taken), at);
  return gone > 0 ? undefined : merged;
}

/** What was found, in the order of all messages. @param found as it stands in the mailbox */
export function inOrder(found: FoundList, order: Uint32Array): FoundList {
  if (found.sequences.length === order.length) return pick(found, order);
  const indexes = new Int32Array(order.length).fill(nowhere);
  for (let index = 0; index < found.sequences.length; index += 1) indexes[(found.sequences[index] ?? 0) - 1] = index;
  const picked = new Uint32Array(found.sequences.length);
  let count = 0;
  for (const position of order) {
    const index = indexes[position] ?? nowhere;
    if (index !== nowhere) picked[count++] = index;
  }
  return pick(found, picked);
}
