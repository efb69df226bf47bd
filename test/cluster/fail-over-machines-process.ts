/**
 * The inside of the fail-over between two machines: runs where `machines.sh` has made them (argument: its folder), with a front-end and
 * the directory on the wire, the back-end on one machine at a time. Ends with 0 when all is as docs/high-availability.md says.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { sendTo } from '../harness/moving.ts';
import { run as runProgram } from '../harness/programs.ts';
import type { ProgramResult } from '../harness/programs.ts';

type Machine = 'mail-a' | 'mail-b';
const folder = process.argv[2] ?? '';
const root = path.resolve(import.meta.dirname, '..', '..');
const takeOver = path.join(root, 'docs', 'high-availability', 'take-over.sh');
const relayPort = 6360;
const powerPort = 6230;

const initOf = (machine: Machine): string => fs.readFileSync(path.join(folder, `${machine}.pid`), 'utf8').trim();
const inside = (machine: Machine, ...words: readonly string[]): string[] => ['--target', initOf(machine), '--mount', '--uts', '--pid', '--net', ...words];

/** The management board of the machines: switches one off, and says so only when nothing of it runs any more. */
function startPowerSwitch(): http.Server {
  return http.createServer((request, response) => {
    const machine = request.url?.slice('/off/'.length) === 'mail-a' ? 'mail-a' : 'mail-b';
    spawnSync('kill', ['-9', initOf(machine)]);
    const isOff = (): boolean => execFileSync('ip', ['netns', 'pids', machine], { encoding: 'utf8' }).trim() === '';
    const look = (): void => {
      if (!isOff()) return void setTimeout(look, 50);
      spawnSync('ip', ['link', 'set', `to-${machine}`, 'down']); // its addresses answer no more
      response.end('off\n');
    };
    look();
  }).listen(powerPort, '10.0.0.1');
}

/** The directory listens on the loopback address of the wire only; each machine finds it at its own. */
function relay(from: net.ListenOptions, to: net.TcpNetConnectOpts): net.Server {
  return net.createServer((socket) => {
    const other = net.connect(to);
    for (const [one, far] of [[socket, other], [other, socket]] as const) one.on('error', () => far.destroy()).pipe(far);
  }).listen(from);
}

const relayText = (port: number): string => `require("net").createServer((s) => { const o = require("net").connect(${String(relayPort)}, "10.0.0.1"); s.on("error", () => o.destroy()).pipe(o); o.on("error", () => s.destroy()).pipe(s); }).listen(${String(port)}, "127.0.0.1")`;

/** What `take-over.sh` reads on a machine, as the page has it. */
function writePair(cluster: Cluster, name: string, facts: { readonly other: Machine; readonly fence: string; readonly more: string }): string {
  const place = path.join(folder, name);
  fs.mkdirSync(place);
  const fence = path.join(place, 'fence');
  fs.writeFileSync(fence, `#!/bin/sh\n${facts.fence}\n`, { mode: 0o755 });
  const start = [process.execPath, '--disable-warning=DEP0060', path.join(root, 'waybill.ts'), 'backend', '--config', cluster.configFile, '--node', 'be1'].join(' ');
  fs.writeFileSync(path.join(place, 'be1'), `OTHER=${facts.other}\nFENCE=${fence}\nDEVICE=${path.join(folder, 'volume')}\nFOLDER=${path.join(cluster.folder, 'be1')}\nADDRESS=10.0.0.31/24\nINTERFACE=eth0\nSTART="${start}${facts.more}"\n`);
  return place;
}

function run(machine: Machine, pair: string): ChildProcess {
  const log = fs.openSync(path.join(folder, `${machine}.log`), 'a');
  return spawn('nsenter', inside(machine, 'env', `WAYBILL_PAIR=${pair}`, 'sh', takeOver, 'be1'), { stdio: ['ignore', log, log] });
}

/** The same to its end; it may ask the power switch, which is here. */
async function runToEnd(machine: Machine, pair: string): Promise<ProgramResult> {
  return runProgram('nsenter', inside(machine, 'env', `WAYBILL_PAIR=${pair}`, 'sh', takeOver, 'be1'));
}

async function logIn(cluster: Cluster, patienceMs: number): Promise<ImapSession> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(250);
    }
  }
}

const changeConfig = (yaml: string): string => {
  const [before = '', after = ''] = yaml.split(/^(?= {2}be1:)/m);
  const [be1 = '', ...rest] = after.split(/^(?= {2}be2:)/m);
  return [before.replace(/^ {2}loopbackOnly:.*\n/m, ''), be1.replace('host: 127.0.0.1', 'host: 10.0.0.31').replaceAll('"127.0.0.1:', '"10.0.0.31:'), ...rest].join('');
};

const cluster = await startCluster({ nodes: ['fe1'], changeConfig });
const servers: (net.Server | http.Server)[] = [startPowerSwitch()];
try {
  const ldaps = Number(/ldaps:\/\/127\.0\.0\.1:(\d+)/.exec(fs.readFileSync(cluster.configFile, 'utf8'))?.[1]);
  servers.push(relay({ port: relayPort, host: '10.0.0.1' }, { port: ldaps, host: '127.0.0.1' }));
  for (const machine of ['mail-a', 'mail-b'] as const) spawn('nsenter', inside(machine, process.execPath, '-e', relayText(ldaps)), { stdio: 'ignore' });
  fs.mkdirSync(path.join(cluster.folder, 'be1'), { recursive: true });
  execFileSync('sh', ['-c', `truncate --size 256M ${path.join(folder, 'volume')} && mkfs.ext4 -q ${path.join(folder, 'volume')}`]);

  run('mail-a', writePair(cluster, 'first', { other: 'mail-b', fence: 'exit 0 # for the first start: nobody has it', more: '' }));
  const session = await logIn(cluster, 180_000);
  for (let message = 0; message < 3; message += 1) await sendTo(cluster, 'fe1', 'alice');
  await session.ok('SELECT INBOX');
  await session.ok('STORE 2 +FLAGS (\\Flagged)');
  assert.equal(fs.existsSync(path.join(cluster.folder, 'be1', 'storage1')), false, 'the volume is mounted on the machine only');

  const power = `curl --fail --silent --show-error --max-time 10 "http://10.0.0.1:${String(powerPort)}/off/$1" >/dev/null`;
  const unfenced = await runToEnd('mail-b', writePair(cluster, 'no-power', { other: 'mail-a', fence: 'curl --fail --silent --max-time 2 http://10.0.0.99/off', more: ' --take-over' }));
  assert.deepEqual([unfenced.code, unfenced.complaint], [1, 'take-over of be1: mail-a was not fenced: nothing is done\n']);
  assert.doesNotMatch(execFileSync('nsenter', inside('mail-b', 'ip', 'address'), { encoding: 'utf8' }), /10\.0\.0\.31/);
  await session.ok('NOOP'); // the first machine has lost nothing by it

  const begunMs = Date.now();
  const careless = await runToEnd('mail-b', writePair(cluster, 'careless', { other: 'mail-a', fence: power, more: '' }));
  assert.equal(careless.code, 1);
  assert.match(careless.complaint + careless.output, /was not left in order by process \d+ on mail-a/, `without --take-over the program does not believe it: ${careless.complaint}${careless.output}`);
  run('mail-b', writePair(cluster, 'fenced', { other: 'mail-a', fence: power, more: ' --take-over' }));
  await session.dialogue.closed();
  const again = await logIn(cluster, 180_000);
  const awayMs = Date.now() - begunMs;
  assert.deepEqual(await again.find(''), [1, 2, 3]);
  assert.deepEqual(await again.search('FLAGGED'), [2]);
  again.dialogue.close();
  await sendTo(cluster, 'fe1', 'alice');
  process.stdout.write(`mail-b has it: logins after ${String(Math.round(awayMs / 100) / 10)} s, a refused start included\n`);
} catch (error) {
  for (const machine of ['mail-a', 'mail-b']) process.stderr.write(fs.existsSync(path.join(folder, `${machine}.log`)) ? fs.readFileSync(path.join(folder, `${machine}.log`), 'utf8').slice(-4000) : '');
  process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
  process.exitCode = 1;
} finally {
  for (const machine of ['mail-a', 'mail-b'] as const) spawnSync('kill', ['-9', initOf(machine)]);
  for (const server of servers) server.close();
  await cluster.stop();
}
process.exit();
