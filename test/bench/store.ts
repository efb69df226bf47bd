/**
 * Our back-end beside Dovecot as a store of mail (LMTP, IMAP, POP3; sdbox and maildir), in one run, cell by cell and by turns:
 * `npm run bench -- store --help`. As root on Debian. The load comes from this process alone. Everything shares one
 * machine: read ratios and CPU. The table goes to standard output, progress to standard error.
 * What is measured and how: docs/store-benchmark.md.
 */
import { cpus } from 'node:os';
import { provideSystemPackages } from '../harness/system-packages.ts';
import { isWanted } from './command/bench-command.ts';
import type { Cell } from './store/cell.ts';
import { cellsOf } from './store/cell-list.ts';
import { storeCommand } from './store/command.ts';
import type { StoreWords } from './store/command.ts';
import { tableOf } from './store/outcome.ts';
import type { Outcome } from './store/outcome.ts';
import { furnishAll, measureAll, orFailure } from './store/rounds.ts';
import type { CellFigures, CellOutcome, Plan } from './store/rounds.ts';
import { RunningStores } from './store/running-stores.ts';
import { specials } from './store/special.ts';
import type { SpecialEffort } from './store/special.ts';
import { startStage } from './store/stage.ts';
import type { Stage } from './store/stage.ts';
import { judgeRate, judgeSpecial } from './store/targets.ts';
import { whereTimeGoes } from './store/time-goes.ts';

const words = storeCommand().parse().opts<StoreWords>();
const plan: Plan = { seconds: words.seconds ?? (words.short ? 0.01 : 10), warmSeconds: words.warm ?? (words.short ? 0 : 8), rounds: words.rounds ?? (words.short ? 1 : 5), progress };
const size = { bigMailbox: words.messages ?? (words.short ? 50 : 100_000), connections: words.short ? 2 : 20 };
const effort: SpecialEffort = { ...size, seconds: plan.seconds, warmSeconds: plan.warmSeconds, writers: words.short ? 3 : 64, delayMs: 5, sessions: words.sessions ?? (words.short ? 5 : 1000), restMs: words.short ? 10 : 1000, idleMs: words.short ? 0 : 70_000, questions: words.short ? 10 : 60, progress };

/** Says what is being done, and how long all of it has taken. */
function progress(text: string): void {
  const took = Math.round(process.uptime());
  process.stderr.write(`[${String(Math.floor(took / 60))}:${String(took % 60).padStart(2, '0')}] ${text}\n`);
}

function wanted({ id }: { readonly id: string }): boolean {
  return isWanted(id, words);
}

async function measureSpecials(stage: Stage): Promise<readonly CellOutcome[]> {
  const outcomes: CellOutcome[] = [];
  for (const { id, title, measures } of specials(stage, effort).filter(wanted)) {
    const figures: CellFigures = new Map();
    for (const [name, measureOne] of Object.entries(measures)) {
      const once = await orFailure(plan, `${name}, ${title}`, measureOne);
      figures.set(name, once === undefined ? [] : [once]);
      progress(`${title}: ${name}`);
    }
    outcomes.push({ id, title, figures: Object.fromEntries(figures) });
  }
  return outcomes;
}

async function run(stage: Stage): Promise<Outcome> {
  const cells = cellsOf(size).filter(wanted);
  await furnishAll(stage.stores, cells, plan);
  const results = await measureAll(stage.stores, cells, plan);
  const rates = [...results].flatMap(([cell, figures]) => judgeRate(cell, figures) ?? []);
  const once = await measureSpecials(stage);
  return {
    ...size, seconds: plan.seconds, warmSeconds: plan.warmSeconds, rounds: plan.rounds, short: words.short === true,
    machine: `${String(cpus().length)} processors, ${cpus()[0]?.model ?? ''}`,
    cells: [...[...results].map(([{ id, title }, figures]) => ({ id, title, figures: Object.fromEntries(figures) })), ...once],
    verdicts: [...rates, ...once.flatMap(judgeSpecial)],
    times: await profiles(stage, [...results.keys()]),
  };
}

/** Of a short run one cell is enough to show that it works; where only some cells are wanted, a short run does without. */
async function profiles(stage: Stage, cells: readonly Cell[]): Promise<Outcome['times']> {
  if (words.short && words.only !== undefined) return {};
  const profiled = words.short ? cells.slice(0, 1) : cells;
  progress('our back-end runs once more, with the profiler');
  return (await orFailure(plan, 'profile', async () => whereTimeGoes(stage.waybill, profiled, { seconds: plan.seconds / 2, warmSeconds: plan.warmSeconds / 4 }))) ?? {};
}

const toDo = provideSystemPackages(progress);
if (toDo !== undefined) throw new Error(toDo);
const running = new RunningStores();
// The servers have sessions of their own, so Ctrl-C does not reach them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void running.end().finally(() => process.exit(1)));
const stage = await startStage(running, { beside: words.beside, floor: words.floor ? cellsOf(size).flatMap(({ needs }) => needs) : undefined });
try {
  progress('all servers run');
  const outcome = await run(stage);
  process.stdout.write(`${words.json ? JSON.stringify(outcome) : tableOf(outcome)}\n`);
} finally {
  await running.end();
}
