/** The first process of a node: it takes each version of its configuration apart once, whoever asks for it (V8 counts that), and SIGHUP ends nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { logLine } from '../harness/log-lines.ts';
import { eventually } from '../harness/people.ts';
import { workersOf } from '../harness/workers.ts';

let cluster: Cluster;
const countsIn = (folder: string): string => join(folder, 'calls');

before(async () => {
  cluster = await startCluster({ nodes: [], directory: 'own', wrap: { fe1: (command, folder) => ['env', `NODE_V8_COVERAGE=${countsIn(folder)}`, ...command] } });
});
after(async () => cluster.stop());

interface Counts {
  readonly result: readonly { readonly functions: readonly { readonly functionName: string; readonly ranges: readonly { readonly count: number }[] }[] }[];
}

/** How often a process that has ended had called a function of ours; a bundle may have put a number to its name. */
function callsOf(pid: number, name: string): number {
  const files = fs.readdirSync(countsIn(cluster.folder)).filter((file) => file.startsWith(`coverage-${String(pid)}-`));
  assert.notEqual(files.length, 0, 'V8 has counted');
  const functions = files.flatMap((file) => (JSON.parse(fs.readFileSync(join(countsIn(cluster.folder), file), 'utf8')) as Counts).result).flatMap(({ functions: each }) => each);
  const counts = functions.filter(({ functionName }) => functionName.replace(/\$\d+$/, '') === name).map(({ ranges: [whole] }) => whole?.count ?? 0);
  return counts.reduce((sum, count) => sum + count, 0);
}

const greetingMs = 30_000;

/** Of whichever worker accepts; empty when none comes in time. */
async function greeting(): Promise<string> {
  const socket = net.connect(cluster.port('fe1', 'imap'), '127.0.0.1');
  try {
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(greetingMs) })) as [Buffer];
    return data.toString();
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return '';
    throw error;
  } finally {
    socket.destroy();
  }
}

test('SIGHUP while a node starts is heeded when it has started.', async () => {
  const started = cluster.startNode('fe1');
  const pid = cluster.pid('fe1');
  await eventually(async () => Promise.resolve(workersOf(pid).length > 0));
  process.kill(pid, 'SIGHUP');
  await started;
});

test('SIGHUP does nothing to a worker.', async () => {
  const workers = workersOf(cluster.pid('fe1'));
  for (const worker of workers) process.kill(worker, 'SIGHUP');
  assert.match(await greeting(), /^\* OK /);
  assert.deepEqual(workersOf(cluster.pid('fe1')), workers);
});

test('A changed configuration is taken up, an unchanged one is not taken apart again.', async () => {
  const pid = cluster.pid('fe1');
  await logLine(cluster, 'fe1', ['"ready"']);
  fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace(/drainSeconds: \d+/, 'drainSeconds: 1'));
  await logLine(cluster, 'fe1', ['runs the new configuration']);
  process.kill(pid, 'SIGHUP'); // looks at everything again, and nothing is new
  assert.equal(await cluster.stopNode('fe1'), 0);
  assert.equal(callsOf(pid, 'nodeConfig'), 2, 'one for each version');
});
