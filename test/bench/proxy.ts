/**
 * Our front-end beside nginx's mail proxy (with an LDAP helper) and Dovecot's proxy: same client, same slapd, same Dovecot
 * behind them; then the whole system beside Dovecot's proxy on Dovecot. Run by hand, as root on Debian: `npm run bench -- proxy --help`.
 * Everything shares one machine: look at the CPU figures. The table goes to standard output, progress to standard error.
 */
import { cpus } from 'node:os';
import { provideSystemPackages } from '../harness/system-packages.ts';
import { isWanted } from './command/bench-command.ts';
import type { ComparingWords } from './command/bench-command.ts';
import { cellsOf } from './proxy/cell-list.ts';
import type { Cell, Effort } from './proxy/cell-list.ts';
import type { Figures } from './proxy/cells.ts';
import { proxyCommand } from './proxy/command.ts';
import { tableOf } from './proxy/outcome.ts';
import type { Outcome } from './proxy/outcome.ts';
import { readers, startStage } from './proxy/stage.ts';
import type { Stage } from './proxy/stage.ts';
import { judge } from './proxy/targets.ts';
import { whereTimeGoes } from './proxy/time-goes.ts';
import type { TimeTable } from './proxy/time-goes.ts';
import { usersOfEachKind } from './proxy/waybill-server.ts';

const words = proxyCommand().parse().opts<ComparingWords>();
const effort: Effort = {
  seconds: words.seconds ?? (words.short ? 0.05 : 10),
  warmSeconds: words.warm ?? (words.short ? 0 : 8),
  rounds: words.rounds ?? (words.short ? 1 : 5),
  sessions: words.sessions ?? (words.short ? 5 : 10_000),
  connections: words.short ? 2 : 20,
  readers: words.short ? 1 : readers,
  countedUsers: words.short ? 5 : usersOfEachKind,
};
const modes = 'Dovecot tuned: service_count=0, client_limit=4500 at its login processes; as shipped: one process for each login. nginx: 2 workers. Waybill: 2 workers on each node. All: the same RSA-2048 certificate, X25519.';

type CellMaps = readonly { readonly cell: Cell; readonly results: Map<string, Figures[]> }[];

function wanted({ id }: Cell): boolean {
  return isWanted(id, words);
}

/** Says what is being done, and how long all of it has taken. */
function progress(text: string): void {
  const seconds = Math.round(process.uptime());
  process.stderr.write(`[${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}] ${text}\n`);
}

/** Unmeasured work before anything counts: V8 compiles what runs often, ours and the helper's, and a mail server runs for weeks. */
async function warmUp({ title, warm, loads }: Cell): Promise<void> {
  if (warm === undefined || effort.warmSeconds === 0) return;
  for (const load of loads) await attempt(`${load.peer.name}, warming up, ${title}`, async () => warm(load));
  progress(`warm: ${title}`);
}

async function measureAll(cells: readonly Cell[]): Promise<CellMaps> {
  const maps = cells.map((cell) => ({ cell, results: new Map<string, Figures[]>(cell.loads.map(({ peer }) => [peer.name, []])) }));
  for (let round = 0; round < effort.rounds; round += 1) {
    for (const { cell, results } of maps) {
      if (round === 0) await warmUp(cell);
      for (const load of cell.loads) {
        if (round >= (load.rounds ?? cell.rounds ?? effort.rounds)) continue;
        const figures = await attempt(`${load.peer.name}, ${cell.title}`, async () => cell.measure(load));
        if (figures !== undefined) results.get(load.peer.name)?.push(figures);
      }
      if (round < (cell.rounds ?? effort.rounds)) progress(`round ${String(round + 1)} of ${String(cell.rounds ?? effort.rounds)}: ${cell.title}`);
    }
  }
  return maps;
}

async function attempt<Result>(what: string, work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    progress(`FAILED: ${what}: ${String(error)}`);
    process.exitCode = 1;
    return undefined;
  }
}

/** A profile has a sample each millisecond: those of a shorter time say nothing of what takes a part of it. */
const shortestProfileSeconds = 1;

/** For the cells of logins only: what the front-end does, and what the back-end does. */
async function profiles(stage: Stage, cells: readonly Cell[]): Promise<Readonly<Record<string, TimeTable>>> {
  const how = { protocol: 'imap', leg: 'tls', resume: 'no', seconds: Math.max(effort.seconds, shortestProfileSeconds), connections: effort.connections } as const;
  const times: Record<string, TimeTable> = {};
  for (const [id, users, node, title] of [['login-tls', 'dovecot', 'fe1', 'front-end, TLS login to Dovecot'], ['whole', 'waybill', 'fe1', 'front-end, TLS login to our back-end'], ['whole', 'waybill', 'be1', 'back-end, login through the front-end']] as const) {
    const load = cells.find((cell) => cell.id === id)?.loads[0];
    if (load === undefined || (words.short && id !== 'login-tls')) continue;
    times[title] = await whereTimeGoes(stage, node, { users, load, how });
    progress(`profiled: ${title}`);
  }
  return times;
}

function outcomeOf(maps: CellMaps, times: Readonly<Record<string, TimeTable>>): Outcome {
  return {
    ...effort, modes, times,
    short: words.short === true,
    machine: `${String(cpus().length)} processors, ${cpus()[0]?.model ?? ''}`,
    cells: maps.map(({ cell, results }) => ({ id: cell.id, title: cell.title, own: cell.loads[0]?.peer.name ?? '', figures: Object.fromEntries(results) })),
    verdicts: judge(new Map(maps.map(({ cell, results }) => [cell.id, results]))),
  };
}

const toDo = provideSystemPackages(progress);
if (toDo !== undefined) throw new Error(toDo);
const stage = await startStage(words.beside);
// The servers have sessions of their own, so Ctrl-C does not reach them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stage.end().finally(() => process.exit(1)));
try {
  progress('all servers run');
  const cells = cellsOf(stage, effort).filter(wanted);
  const maps = await measureAll(cells);
  const outcome = outcomeOf(maps, await profiles(stage, cells));
  process.stdout.write(`${words.json ? JSON.stringify(outcome) : tableOf(outcome)}\n`);
} finally {
  await stage.end();
}
