/**
 * Mail coming in from the world: front-end and back-ends of ours, every message durable before 250. `npm run bench -- smtp --help`. Everything shares one machine: look at the CPU figures.
 */
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { benchCommand, isWanted } from './command/bench-command.ts';
import type { BenchWords } from './command/bench-command.ts';
import type { Figures } from './proxy/cells.ts';
import { reportCell } from './proxy/report.ts';
import { measureSending } from './smtp/cells.ts';
import type { MailServer, SendingCell } from './smtp/cells.ts';

/** Of the demo: these live on be1 … */
const first = ['alice', 'carol', 'erin', 'grace', 'ivan'];
/** … and these on be2. */
const second = ['bob', 'dave', 'frank', 'heidi', 'judy'];

function oneUser(turn: number): readonly string[] {
  const names = turn % 2 === 0 ? first : second;
  return [`${names[turn % names.length] ?? ''}@example.com`];
}

function twoUsers(turn: number): readonly string[] {
  return [...oneUser(2 * turn), ...oneUser(2 * turn + 1)];
}

interface Cell {
  readonly title: string;
  readonly cell: Omit<SendingCell, 'seconds'>;
}

const cells: readonly Cell[] = ([['one user', oneUser], ['two users on two nodes', twoUsers]] as const).flatMap(([who, recipients]) =>
  [1, 10].map((messagesPerSession) => ({
    title: `4 kB to ${who}, ${String(messagesPerSession)} in a session, 20 connections`,
    cell: { connections: 20, messagesPerSession, recipients, messageBytes: 4096 },
  })));

const words = benchCommand('smtp', 'Mail coming in from the world: a front-end and back-ends of ours, every message durable before it is accepted.', cells.map(({ title }) => title)).parse().opts<BenchWords>();
const seconds = words.seconds ?? (words.short ? 1 : 10);
const rounds = words.rounds ?? (words.short ? 1 : 5);

function waybill(cluster: Cluster): MailServer {
  return {
    name: 'Waybill', port: cluster.port('fe1', 'smtp'),
    parts: { 'front-end': [cluster.pid('fe1')], 'back-ends': [cluster.pid('be1'), cluster.pid('be2')] },
    settled: async () => sleep(1500),
  };
}

async function run(servers: readonly MailServer[]): Promise<void> {
  const chosen = cells.filter(({ title }) => isWanted(title, words));
  const results = chosen.map(() => new Map<string, Figures[]>(servers.map(({ name }) => [name, []])));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { title, cell }] of chosen.entries()) {
      for (const server of servers) results[index]?.get(server.name)?.push(await measureSending(server, { ...cell, seconds }));
      process.stderr.write(`round ${String(round + 1)}: ${title}\n`);
    }
  }
  process.stdout.write(`${String(rounds)} rounds, cells of ${String(seconds)} s, ${String(cpus().length)} processors, ${cpus()[0]?.model ?? ''}\nMedian (minimum–maximum).\n`);
  for (const [index, { title }] of chosen.entries()) process.stdout.write(`${reportCell(title, results[index] ?? new Map(), 'Waybill')}\n`);
}

const cluster = await startCluster({ nodes: ['be1', 'be2', 'fe1'] });
try {
  await run([waybill(cluster)]);
} finally {
  await cluster.stop();
}
