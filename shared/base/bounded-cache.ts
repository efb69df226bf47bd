/**
 * A cache of at most so many entries; the least recently used is forgotten first. It takes room as it fills: given `max`, lru-cache
 * takes all at once, which is 11 ms of a processor and 2.6 MB for each 100,000 entries that may come one day.
 */
import { LRUCache } from 'lru-cache';

/** @param ttlMs how long an entry counts; for ever when absent */
export function boundedCache<Value extends object | string | number | boolean>(entries: number, ttlMs?: number): LRUCache<string, Value> {
  return new LRUCache({ maxSize: entries, sizeCalculation: () => 1, ...(ttlMs === undefined ? {} : { ttl: ttlMs }) });
}
