/** How often a disk is asked to flush for a message, and what becomes of the rates when each flush takes longer. For both, servers of their own are started. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures } from '../proxy/cells.ts';
import { workFor } from './cell.ts';
import type { Cell, Extent } from './cell.ts';
import { appends, deliveries } from './delivery-cells.ts';
import { FlushCount, tracingFlushes } from './flush-trace.ts';
import { addressOf, usersOfEachKind } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import { slowingFlushes } from './slow-flush.ts';

/** Starts a server whose command runs inside another. */
export type StoreStart = (wrap: (command: readonly string[]) => readonly string[]) => Promise<MailStore>;

export interface FlushEffort extends Required<Extent> {
  readonly connections: number;
  /** The many, where one writer is compared with many. */
  readonly writers: number;
  /** What each flush takes longer, milliseconds. */
  readonly delayMs: number;
}

function lmtp(connections: number): Cell {
  return {
    id: '', title: '', unit: 'deliveries', needs: [],
    prepare: async (store) => deliveries(store, connections, (turn) => addressOf('many', turn % usersOfEachKind)),
  };
}

function append(connections: number): Cell {
  return { id: '', title: '', unit: 'appends', needs: [], prepare: async (store) => appends(store, connections, 4096) };
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-flush-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each user has had a delivery: the first one makes the mailboxes, which is a commit of its own. */
async function makeMailboxes(store: MailStore): Promise<void> {
  const { lanes: [lane], end } = await deliveries(store, 1, (turn) => addressOf('many', turn % usersOfEachKind));
  for (let user = 0; user < usersOfEachKind; user += 1) await lane?.();
  await end();
}

/** Longer than what waits for a commit to go along with waits for one: then a session's last note is written by itself (`backend/storage/late-writes.ts`). */
const lateMs = 1500;

/** Flushes for each accepted message: by one writer alone, and by many at once; and those that come once, after the last of one writer's. */
export async function countFlushes(start: StoreStart, { seconds, writers }: FlushEffort): Promise<Figures> {
  return inFolder(async (folder) => {
    const file = join(folder, 'trace');
    const store = await start(tracingFlushes(file));
    try {
      await makeMailboxes(store);
      const count = new FlushCount(file);
      const each = async (cell: Cell): Promise<number> => {
        await workFor(store, cell, { seconds: seconds / 4 }); // packs that are made
        await sleep(lateMs); // what is noted of these is not the next ones'
        const before = count.now();
        const done = await workFor(store, cell, { seconds });
        return (count.now() - before) / done.count;
      };
      const alone = await each(lmtp(1));
      const last = count.now();
      await sleep(lateMs);
      return {
        'flushes/delivery, alone': alone, 'flushes after the last of them': count.now() - last, [`flushes/delivery, ${String(writers)} writers`]: await each(lmtp(writers)),
        'flushes/APPEND, alone': await each(append(1)), [`flushes/APPEND, ${String(writers)} writers`]: await each(append(writers)),
      };
    } finally {
      await store.stop();
    }
  });
}

/**
 * Rates on a disk that needs longer for each flush. Who is alone does some three hundred deliveries while the server is to warm up, too few for V8 to compile
 * what they run: many warm it up for him.
 */
export async function measureSlowFlushes(start: StoreStart, { seconds, warmSeconds, connections, writers, delayMs }: FlushEffort): Promise<Figures> {
  return inFolder(async (folder) => {
    const store = await start(slowingFlushes(folder, delayMs));
    try {
      const rate = async (cell: Cell): Promise<number> => {
        const { count, ms } = await workFor(store, cell, { seconds, warmSeconds });
        return (count * 1000) / ms;
      };
      await workFor(store, lmtp(connections), { seconds: warmSeconds });
      return {
        'deliveries/s, alone': await rate(lmtp(1)), [`deliveries/s, ${String(connections)} connections`]: await rate(lmtp(connections)),
        [`deliveries/s, ${String(writers)} connections`]: await rate(lmtp(writers)), [`appends/s, ${String(connections)} connections`]: await rate(append(connections)),
      };
    } finally {
      await store.stop();
    }
  });
}
