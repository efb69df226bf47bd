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
export function openSampleFile(path: string): SampleStore {
  const database = new DatabaseSync(path, { timeout: 2000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS sample (scope TEXT, name TEXT, at INTEGER, counter TEXT, value REAL, PRIMARY KEY (scope, name, at, counter)) WITHOUT ROWID');
  const insert = database.prepare('INSERT OR REPLACE INTO sample (scope, name, at, counter, value) VALUES (?, ?, ?, ?, ?)');
  const select = database.prepare('SELECT at, counter, value FROM sample WHERE scope = ?1 AND name = ?2 AND at >= ?3 AND at <= ?4 AND (?5 IS NULL OR counter IN (SELECT value FROM json_each(?5))) ORDER BY at DESC LIMIT ?6');
  const remove = database.prepare('DELETE FROM sample WHERE at < ?');
  return {
    add: (samples) => {
      database.exec('BEGIN');
      try {
        for (const { scope, name, atMs, counter, value } of samples) insert.run(scope, name, atMs, counter, value);
        database.exec('COMMIT');
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    find: ({ scope, name, fromMs, toMs, counters }) => select.all(scope, name, fromMs, toMs, counters === undefined ? null : JSON.stringify(counters), mostSamples).map(({ at, counter, value }): Sample => ({ scope, name, atMs: Number(at), counter: String(counter), value: Number(value) })).reverse(),
    forget: (beforeMs) => void remove.run(beforeMs),
    close: () => database.close(),
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
