/** Where samples are kept: on disk at back-ends (SQLite), in memory for a while at front-ends, which keep nothing. */
import { DatabaseSync } from 'node:sqlite';
import type { Sample } from './samples.ts';

export interface SampleQuestion {
  readonly scope: Sample['scope'];
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** All when undefined. */
  readonly counters?: readonly string[] | undefined;
}

export interface SumQuestion extends Pick<SampleQuestion, 'scope' | 'name'> {
  /** Samples of this time and later; their time is the end of what they tell of. */
  readonly afterMs: number;
  readonly untilMs: number;
}

/** What a store in a file can tell beside. */
export interface SampleFile extends SampleStore {
  /** How much each counter grew; levels are summed as well, which tells nothing. */
  sums(question: SumQuestion): ReadonlyMap<string, number>;
  /** A level as it was last, then or before; undefined when nothing is known. */
  lastLevel(question: Pick<SampleQuestion, 'scope' | 'name'> & { readonly counter: string; readonly atMs: number }): number | undefined;
  /** The values of all names of a scope one by one: many, so that who sums them up can let others work in between. */
  eachValue(question: Omit<SumQuestion, 'name'>): Iterable<{ readonly name: string; readonly counter: string; readonly value: number }>;
  /** The last that was heard of a node, which its counters grow from. */
  heard(node: string): string | undefined;
  /** Adds what it counted since, and keeps what was heard: both or nothing. */
  hear(node: string, text: string, samples: readonly Sample[]): void;
}

export interface SampleStore {
  add(samples: readonly Sample[]): void;
  /** By time; at most `mostSamples`, the newest. */
  find(question: SampleQuestion): readonly Sample[];
  /** Forgets what is older. */
  forget(beforeMs: number): void;
  close(): void;
}

export const mostSamples = 200_000;

/** One writer (the appointed worker), any number of readers. @throws the system's error when the file can't be opened */
export function openSampleFile(path: string): SampleFile {
  const database = new DatabaseSync(path, { timeout: 2000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS sample (scope TEXT, name TEXT, at INTEGER, counter TEXT, value REAL, PRIMARY KEY (scope, name, at, counter)) WITHOUT ROWID; CREATE TABLE IF NOT EXISTS heard (node TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID');
  const insert = database.prepare('INSERT OR REPLACE INTO sample (scope, name, at, counter, value) VALUES (?, ?, ?, ?, ?)');
  const select = database.prepare('SELECT at, counter, value FROM sample WHERE scope = ?1 AND name = ?2 AND at >= ?3 AND at <= ?4 AND (?5 IS NULL OR counter IN (SELECT value FROM json_each(?5))) ORDER BY at DESC LIMIT ?6');
  const remove = database.prepare('DELETE FROM sample WHERE at < ?');
  const together = (work: () => void): void => {
    database.exec('BEGIN');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  };
  const add = (samples: readonly Sample[]): void => {
    for (const { scope, name, atMs, counter, value } of samples) insert.run(scope, name, atMs, counter, value);
  };
  return {
    ...tellingOf(database),
    hear: (node, text, samples) => together(() => {
      add(samples);
      database.prepare('INSERT OR REPLACE INTO heard (node, text) VALUES (?, ?)').run(node, text);
    }),
    add: (samples) => together(() => add(samples)),
    find: ({ scope, name, fromMs, toMs, counters }) => select.all(scope, name, fromMs, toMs, counters === undefined ? null : JSON.stringify(counters), mostSamples).map(({ at, counter, value }): Sample => ({ scope, name, atMs: Number(at), counter: String(counter), value: Number(value) })).reverse(),
    forget: (beforeMs) => void remove.run(beforeMs),
    close: () => database.close(),
  };
}

function tellingOf(database: DatabaseSync): Pick<SampleFile, 'sums' | 'lastLevel' | 'eachValue' | 'heard'> {
  return {
    sums: ({ scope, name, afterMs, untilMs }) => new Map(database.prepare('SELECT counter, SUM(value) AS value FROM sample WHERE scope = ? AND name = ? AND at > ? AND at <= ? GROUP BY counter').all(scope, name, afterMs, untilMs).map(({ counter, value }): [string, number] => [String(counter), Number(value)])),
    lastLevel: ({ scope, name, counter, atMs }) => {
      const found = database.prepare('SELECT value FROM sample WHERE scope = ? AND name = ? AND counter = ? AND at <= ? ORDER BY at DESC LIMIT 1').get(scope, name, counter, atMs);
      return found === undefined ? undefined : Number(found['value']);
    },
    *eachValue({ scope, afterMs, untilMs }) {
      for (const { name, counter, value } of database.prepare('SELECT name, counter, value FROM sample WHERE scope = ? AND at > ? AND at <= ?').iterate(scope, afterMs, untilMs)) yield { name: String(name), counter: String(counter), value: Number(value) };
    },
    heard: (node) => {
      const found = database.prepare('SELECT text FROM heard WHERE node = ?').get(node);
      return found === undefined ? undefined : String(found['text']);
    },
  };
}

/** In memory: so many samples, the newest. */
export function sampleWindow(most = 50_000): SampleStore {
  let kept: Sample[] = [];
  return {
    add: (samples) => {
      kept = [...kept, ...samples].slice(-most);
    },
    find: ({ scope, name, fromMs, toMs, counters }) => kept.filter((sample) => sample.scope === scope && sample.name === name && sample.atMs >= fromMs && sample.atMs <= toMs && (counters?.includes(sample.counter) ?? true)),
    forget: (beforeMs) => {
      kept = kept.filter(({ atMs }) => atMs >= beforeMs);
    },
    close: () => undefined,
  };
}
