/** SEARCH of texts with an index, and what indexing costs deliveries. Servers of their own, one after the other. */
import { quantile } from '../proxy/cells.ts';
import type { Figures } from '../proxy/cells.ts';
import { cpuMs } from '../proxy/processes.ts';
import { workFor } from './cell.ts';
import { deliveries } from './delivery-cells.ts';
import { messagesOf, questions } from './indexed-mail.ts';
import type { Asked } from './indexed-mail.ts';
import type { IndexedStore } from './indexed-stores.ts';
import { addressOf, imapSession, parts, usersOfEachKind } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import type { StorageSettings } from './waybill-store.ts';
import type { Wire } from './wire.ts';

export interface IndexedEffort {
  readonly seconds: number;
  readonly messages: number;
  readonly questions: number;
  /** Says what is being done. */
  readonly progress: (text: string) => void;
}

const user = addressOf('solo', parts.reader);
/** In one APPEND. */
const together = 250;

async function fill(store: MailStore, messages: Iterable<Buffer>): Promise<void> {
  const wire = await imapSession(store, user);
  let waiting: Buffer[] = [];
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await wire.ask(Buffer.concat([Buffer.from('a APPEND INBOX'), ...waiting, Buffer.from('\r\n')]), 'a OK');
    waiting = [];
  };
  for (const bytes of messages) {
    waiting.push(Buffer.from(` {${String(bytes.length)}+}\r\n`), bytes);
    if (waiting.length >= 2 * together) await flush();
  }
  await flush();
  wire.end();
}

/** The numbers that are found. */
async function search(wire: Wire, key: string): Promise<string> {
  return /^\* SEARCH([^\r]*)/m.exec(await wire.read(`f SEARCH ${key}\r\n`, 'f OK'))?.[1]?.trim() ?? '';
}

/** What of the answers is not what a look into each message finds: kinds of questions, with how many were so. */
async function wrongAnswers(wire: Wire, asked: readonly Asked[]): Promise<ReadonlyMap<string, number>> {
  const wrong = new Map<string, number>();
  for (const { key, kind, truth } of asked) if (await search(wire, key) !== truth.join(' ')) wrong.set(kind, (wrong.get(kind) ?? 0) + 1);
  return wrong;
}

/** `exact`: other hits than those of a look into each message are a fault; `told`: they are counted. */
export async function measureIndexedSearches(start: () => Promise<IndexedStore>, hits: 'exact' | 'told', { seconds, messages, questions: count, progress }: IndexedEffort & { readonly messages: number }): Promise<Figures> {
  const { store, makeIndex, indexBytes } = await start();
  try {
    const asked = questions(count);
    await fill(store, messagesOf(messages, asked));
    const began = performance.now();
    await makeIndex(user);
    const indexMs = performance.now() - began;
    const wire = await imapSession(store, user);
    await wire.ask('s SELECT INBOX\r\n', 's OK');
    const wrong = await wrongAnswers(wire, asked);
    const words = [...wrong].map(([kind, times]) => `${String(times)} × ${kind}`).join(', ');
    if (words !== '') progress(`${store.name} finds otherwise than a look into each message: ${words}`);
    if (words !== '' && hits === 'exact') throw new Error(`wrong hits: ${words}`);
    const figures = await timed({ store, wire, asked }, seconds);
    wire.end();
    return { ...figures, 'questions answered otherwise': [...wrong.values()].reduce((sum, times) => sum + times, 0), 'index kB/message': indexBytes() / 1000 / messages, 'messages indexed/s': (messages * 1000) / indexMs };
  } finally {
    await store.stop();
  }
}

/** All questions by turns, each once at least. */
async function timed({ store, wire, asked }: { readonly store: MailStore; readonly wire: Wire; readonly asked: readonly Asked[] }, seconds: number): Promise<Figures> {
  const durations: { readonly kind: string; readonly ms: number }[] = [];
  const before = cpuMs(store.pids);
  const end = performance.now() + seconds * 1000;
  do {
    for (const { key, kind } of asked) {
      const began = performance.now();
      await wire.ask(`f SEARCH ${key}\r\n`, 'f OK');
      durations.push({ kind, ms: performance.now() - began });
    }
  } while (performance.now() < end);
  const all = durations.map(({ ms }) => ms);
  const rate = (ms: readonly number[]): number => (1000 * ms.length) / ms.reduce((sum, one) => sum + one, 0);
  return {
    'searches/s, all': rate(all), 'p50 ms': quantile(all, 0.5), 'p95 ms': quantile(all, 0.95), 'p99 ms': quantile(all, 0.99), 'CPU ms/search': (cpuMs(store.pids) - before) / all.length,
    ...Object.fromEntries([...new Set(asked.map(({ kind }) => kind))].map((kind) => [`searches/s, ${kind}`, rate(durations.filter((one) => one.kind === kind).map(({ ms }) => ms))])),
  };
}

/** The rate of deliveries after a while in which indexes are begun, where all mailboxes have one; without pauses, which is more than mail ever comes. */
export async function measureDeliveries(start: (settings: StorageSettings) => Promise<MailStore>, settings: StorageSettings, { seconds, connections }: { readonly seconds: number; readonly connections: number }): Promise<Figures> {
  const store = await start(settings);
  try {
    const cell = { prepare: async () => deliveries(store, connections, (turn) => addressOf('many', turn % usersOfEachKind)) };
    const { count, ms, cpu, durations } = await workFor(store, cell, { seconds: 3 * seconds, warmSeconds: beforeFirstPass * seconds });
    return { 'deliveries/s': (count * 1000) / ms, 'CPU ms/delivery': cpu.server / count, 'p50 ms': quantile(durations, 0.5), 'p95 ms': quantile(durations, 0.95) };
  } finally {
    await store.stop();
  }
}

/** In a run of the usual length (10 s) the first pass begins before that time is over: it waits 30 s. */
const beforeFirstPass = 4;
