/** What is done with each server for a while, and what comes out: figures with a unit in their name. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchWhole, logIn, open, shortSession } from './client.ts';
import type { Talk, Target } from './client.ts';
import { cpuMs, memoryKilobytes } from './processes.ts';
import type { Leg, Peer, Protocol } from './servers.ts';

export type Figures = Readonly<Record<string, number>>;

export interface Load {
  readonly peer: Peer;
  /** Beginning of the names of the users whom this server serves. */
  readonly users: string;
  readonly userCount: number;
  readonly password: string;
  /** Processes whose time is told besides the peer's own, by what they are. */
  readonly others: Readonly<Record<string, readonly number[]>>;
  /** Rounds, when not all are wanted. */
  readonly rounds?: number | undefined;
  /** Idle sessions, when not as many as the cell says. */
  readonly sessions?: number | undefined;
}

export interface LoginCell {
  readonly protocol: Protocol;
  readonly leg: Leg;
  readonly resume: 'yes' | 'no';
  readonly seconds: number;
  readonly connections: number;
}

/** Logs in, looks and logs out over so many connections at once. */
export async function measureLogins(load: Load, cell: LoginCell): Promise<Figures | undefined> {
  const resumption = cell.resume === 'yes' ? { session: undefined, resumed: 0 } : undefined;
  const target = targetOf(load, cell, resumption);
  if (target === undefined) return undefined;
  const durations: number[] = [];
  const before = cpuOf(load);
  const start = performance.now();
  const end = start + cell.seconds * 1000;
  let turn = 0;
  await Promise.all(Array.from({ length: cell.connections }, async () => {
    // Once at least: a short run on a busy machine may be over before it began.
    do {
      const began = performance.now();
      turn += 1;
      await shortSession(target, userOf(load, turn));
      durations.push(performance.now() - began);
    } while (performance.now() < end);
  }));
  const seconds = (performance.now() - start) / 1000;
  return {
    'logins/s': durations.length / seconds, 'p50 ms': quantile(durations, 0.5), 'p99 ms': quantile(durations, 0.99),
    ...cpuSince(load, before, { count: durations.length, unit: 'op' }),
    ...(resumption === undefined ? {} : { 'resumed %': (100 * resumption.resumed) / durations.length }),
  };
}

/** Reads 10 MB messages over some connections. */
export async function measureFetches(load: Load, cell: { readonly leg: Leg; readonly seconds: number; readonly connections: number }): Promise<Figures | undefined> {
  const target = targetOf(load, { protocol: 'imap', leg: cell.leg });
  if (target === undefined) return undefined;
  const talks = await Promise.all(Array.from({ length: cell.connections }, async (_, index) => loggedIn(load, target, index)));
  for (const talk of talks) await talk.say('b SELECT INBOX\r\n', 'b OK');
  const before = cpuOf(load);
  const start = performance.now();
  const end = start + cell.seconds * 1000;
  const bytes = await Promise.all(talks.map(async (talk) => fetchWhole(talk, () => performance.now() >= end)));
  const megabytes = bytes.reduce((total, each) => total + each, 0) / 1e6;
  for (const talk of talks) talk.end();
  return { 'MB/s': megabytes / ((performance.now() - start) / 1000), ...cpuSince(load, before, { count: megabytes / 100, unit: '100 MB' }) };
}

/** Logs in with many sessions that then keep silent. */
export async function measureIdleMemory(load: Load, cell: { readonly leg: Leg; readonly sessions: number; readonly restMs: number }): Promise<Figures | undefined> {
  const target = targetOf(load, { protocol: 'imap', leg: cell.leg });
  if (target === undefined) return undefined;
  const sessions = Math.min(cell.sessions, load.sessions ?? Infinity);
  const warm = await openMany(load, target, Math.min(100, sessions));
  const before = await settledMemory(load.peer, cell.restMs);
  const talks = await openMany(load, target, sessions);
  const after = await settledMemory(load.peer, cell.restMs);
  const held = talks.filter((talk) => talk.open).length;
  for (const talk of [...warm, ...talks]) talk.end();
  await sleep(cell.restMs);
  return {
    'sessions held': held,
    'kB each (resident)': (after.resident - before.resident) / sessions,
    'kB each (proportional)': (after.proportional - before.proportional) / sessions,
    'MB at rest': before.resident / 1000,
  };
}

const mostRests = 20;

/** What a server holds when it has given back what the logins needed: a collector that runs when there is time for it needs some rests. */
export async function settledMemory({ pids }: Pick<Peer, 'pids'>, restMs: number): Promise<ReturnType<typeof memoryKilobytes>> {
  let least = memoryKilobytes(pids);
  for (let [rests, quiet] = [0, 0]; rests < mostRests && quiet < 4; rests += 1) {
    await sleep(restMs);
    const now = memoryKilobytes(pids);
    quiet = now.resident < least.resident * 0.995 ? 0 : quiet + 1;
    if (now.resident < least.resident) least = now;
  }
  return least;
}

async function openMany(load: Load, target: Target, count: number): Promise<readonly Talk[]> {
  const talks: Talk[] = [];
  while (talks.length < count) {
    const batch = Array.from({ length: Math.min(20, count - talks.length) }, async (_, index) => loggedIn(load, target, talks.length + index));
    talks.push(...(await Promise.all(batch)));
  }
  return talks;
}

/** Asks again and again on two quiet connections, one without and one with TLS, by turns and with pauses. */
export async function measureRoundTrips(load: Load, cell: { readonly seconds: number }): Promise<Figures | undefined> {
  const talks = { plain: await quietTalk(load, 'plain'), tls: await quietTalk(load, 'tls') };
  const durations = { plain: [] as number[], tls: [] as number[] };
  const end = performance.now() + cell.seconds * 1000;
  do {
    for (const leg of ['plain', 'tls'] as const) {
      const began = performance.now();
      await talks[leg].say('n NOOP\r\n', 'n OK');
      durations[leg].push(performance.now() - began);
      await sleep(2);
    }
  } while (performance.now() < end);
  for (const talk of Object.values(talks)) talk.end();
  return {
    'plain p50 µs': quantile(durations.plain, 0.5) * 1000, 'plain p99 µs': quantile(durations.plain, 0.99) * 1000,
    'TLS p50 µs': quantile(durations.tls, 0.5) * 1000, 'TLS p99 µs': quantile(durations.tls, 0.99) * 1000,
  };
}

async function quietTalk(load: Load, leg: Leg): Promise<Talk> {
  const target = targetOf(load, { protocol: 'imap', leg });
  if (target === undefined) throw new Error(`${load.peer.name} does not serve IMAP (${leg})`);
  return loggedIn(load, target, 0);
}

function targetOf({ peer }: Load, { protocol, leg }: { readonly protocol: Protocol; readonly leg: Leg }, resumption?: Target['resumption']): Target | undefined {
  const port = peer.port(protocol, leg);
  return port === undefined ? undefined : { protocol, leg, port, resumption };
}

function userOf({ users, userCount, password }: Load, turn: number): { readonly name: string; readonly password: string } {
  return { name: `${users}${String(turn % userCount)}@example.com`, password };
}

async function loggedIn(load: Load, target: Target, turn: number): Promise<Talk> {
  const talk = await open(target);
  await logIn(talk, target.protocol, userOf(load, turn));
  return talk;
}

type Spent = Readonly<Record<string, number>>;

function cpuOf({ peer, others }: Load): Spent {
  return Object.fromEntries(Object.entries({ [peer.name]: peer.pids, ...others }).map(([name, pids]) => [name, cpuMs(pids)]));
}

/** Processor time for one operation: the peer's own, and the others'. */
function cpuSince(load: Load, before: Spent, operations: { readonly count: number; readonly unit: string }): Figures {
  return Object.fromEntries(Object.entries(cpuOf(load)).map(([name, ms]) => [
    name === load.peer.name ? `CPU ms/${operations.unit}` : `${name} CPU ms/${operations.unit}`, (ms - (before[name] ?? 0)) / operations.count,
  ]));
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
