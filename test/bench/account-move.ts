/**
 * `npm run bench -- account-move --help`: an account of so many messages moves to and fro between two nodes of a whole cluster
 * while clients log in, change flags and deliver. Prints what the clients waited, and how fast the mail was copied.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStorage } from '../../backend/storage/storage.ts';
import type { Account, AppendedMessage } from '../../backend/storage/storage.ts';
import { createLog } from '../../shared/log/log.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { runCommand } from '../harness/command.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { deliver } from '../harness/smtp-session.ts';
import { SteadyClient } from '../harness/steady-client.ts';
import { workersOf } from '../harness/workers.ts';
import { accountMoveCommand } from './command/plain-commands.ts';

const bytesEach = 3000;
/** Fewer where each takes minutes. */
const movesOf = (messages: number): number => (messages > 20_000 ? 2 : 6);
const user = 'alice';
const address = `${user}@example.com`;

/** Puts mail where the node will find it, before it runs. */
async function fill(cluster: Cluster, count: number): Promise<void> {
  const hints = { publish: () => undefined, subscribe: () => () => undefined };
  const storage = await openStorage({
    directories: [1, 2].map((number) => join(cluster.folder, 'be1', `storage${String(number)}`)),
    clusterName: 'waybill-demo', nodeName: 'be1', hints, log: createLog({ node: 'be1', level: 'silent' }), workerSlot: 9, reserveBytes: 0,
  });
  const account = await storage.createAccount(address);
  const inbox = account.mailbox('INBOX');
  for (let from = 0; from < count; from += 500) {
    const messages = await Promise.all(Array.from({ length: Math.min(500, count - from) }, async () => stage(account)));
    for (let at = 0; at < messages.length; at += 50) await inbox?.append(messages.slice(at, at + 50));
  }
  await storage.close();
}

async function stage(account: Account): Promise<AppendedMessage> {
  const { bytes } = newMessage({ text: 'x'.repeat(bytesEach - 200) });
  return { staged: await account.stage((async function* () { yield bytes; })(), 1_000_000), marks: { flags: 0, keywords: [] } };
}

/** From the events of one move: milliseconds of copying, and of the hold until the new node owned it. */
async function move(cluster: Cluster, node: string): Promise<{ readonly copyMs: number; readonly heldMs: number; readonly wholeMs: number }> {
  const at = new Map<string, number>();
  const { code, output, complaint } = await runCommand(cluster, ['account', 'move', user, node, '--json'], (line) => {
    const { step, atMs } = JSON.parse(line) as { step: string; atMs: number };
    if (!at.has(step) || step !== 'begin') at.set(step, atMs);
  });
  if (code !== 0) throw new Error(output + complaint);
  const between = (from: string, to: string): number => (at.get(to) ?? 0) - (at.get(from) ?? 0);
  return { copyMs: between('begin', 'hold'), heldMs: between('hold', 'activate'), wholeMs: between('begin', 'done') };
}

function residentMegabytes(cluster: Cluster): number {
  const peaks = (['be1', 'be2'] as const).flatMap((node) => workersOf(cluster.pid(node))).map((pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]));
  return Math.round(Math.max(...peaks) / 1024);
}

async function cell(count: number): Promise<string> {
  const cluster = await startCluster({ nodes: [] });
  try {
    await fill(cluster, count);
    for (const node of ['be1', 'be2', 'fe1', 'fe2'] as const) await cluster.startNode(node);
    const before = residentMegabytes(cluster);
    const client = (): SteadyClient => new SteadyClient(async () => {
      const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
      await imap.ok('SELECT INBOX').then(async () => imap.ok('UID STORE 1 FLAGS (\\Seen)')).finally(() => imap.close());
    }, { pauseMs: 20, patienceMs: 60_000 });
    const sender = (): SteadyClient => new SteadyClient(async () => {
      const reply = await deliver(cluster, 'fe2', { from: 'sender@example.net', to: [address], bytes: newMessage().bytes });
      if (!reply.startsWith('250')) throw new Error(reply);
    }, { pauseMs: 50, patienceMs: 60_000 });
    const [calm, calmSender] = [client(), sender()];
    await sleep(8000);
    await Promise.all([calm.stop(), calmSender.stop()]);
    const [reader, writer] = [client(), sender()];
    const moves: Awaited<ReturnType<typeof move>>[] = [];
    for (let turn = 0; turn < movesOf(count); turn += 1) {
      moves.push(await move(cluster, turn % 2 === 0 ? 'be2' : 'be1'));
      await sleep(500);
    }
    await Promise.all([reader.stop(), writer.stop()]);
    if (reader.failures.length + writer.failures.length > 0) throw new Error([...reader.failures, ...writer.failures].join('\n'));
    const copies = moves.map(({ copyMs }) => copyMs).toSorted((one, other) => one - other);
    const holds = moves.map(({ heldMs }) => heldMs).toSorted((one, other) => one - other);
    const wholes = moves.map(({ wholeMs }) => wholeMs).toSorted((one, other) => one - other);
    const copyMs = copies[Math.floor(copies.length / 2)] ?? 1;
    const quantiles = (of: SteadyClient): string => [0.5, 0.99, 1].map((part) => String(of.quantile(part))).join(' / ');
    return [
      `${String(count).padStart(6)} messages of ${String(bytesEach)} bytes, ${String(moves.length)} moves:`,
      `  copy ${String(copies[0])}–${String(copies.at(-1))} ms, median ${String(copyMs)}: ${(count / copyMs * 1000).toFixed(0)} messages/s, ${(count * bytesEach / copyMs / 1000).toFixed(1)} MB/s; hold to owner ${holds.join(', ')} ms; whole move ${String(wholes[0])}–${String(wholes.at(-1))} ms`,
      `  login + select + store, p50 / p99 / longest: ${quantiles(calm)} ms without moves (${String(calm.turns.length)}), ${quantiles(reader)} ms while moving (${String(reader.turns.length)})`,
      `  delivery, p50 / p99 / longest: ${quantiles(calmSender)} ms without moves (${String(calmSender.turns.length)}), ${quantiles(writer)} ms while moving (${String(writer.turns.length)})`,
      `  most memory of a process of be1 and be2: ${String(before)} MB before, ${String(residentMegabytes(cluster))} MB after`,
    ].join('\n');
  } finally {
    await cluster.stop();
  }
}

const [amounts = [200, 5000, 50_000]] = accountMoveCommand().parse().processedArgs as readonly (readonly number[] | undefined)[];
for (const count of amounts) process.stdout.write(`${await cell(count)}\n`);
