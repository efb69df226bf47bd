/** Starts the torture's processes, as they are or under strace, which kills them or spoils a system call at an exact place. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

/** What strace does to a process. Calls are counted among those of that name that touch one of the paths. */
export interface Injection {
  readonly calls: string;
  readonly paths: readonly string[];
  /** As in strace's `inject=`, e.g. `signal=KILL` or `error=EIO`. */
  readonly effect: string;
  /** The number of the call, from 1; `2+` is the second and all later ones. Of several calls each is counted for itself. */
  readonly when: string;
  /** Calls that are written down besides. */
  readonly watched?: string;
}

export interface Outcome {
  /** `died`: by a signal. `failed`: by an error of its own. */
  readonly end: 'ended' | 'died' | 'failed';
  readonly signal: string | undefined;
  readonly words: string;
  /** The last system call of the injection that was seen: where it struck. */
  readonly struckAt: string | undefined;
}

export interface Running {
  readonly pid: number | undefined;
  readonly ended: Promise<Outcome>;
}

/** No process of the torture works that long: one that still does hangs. */
const longestRunMs = 90_000;

/** One thread for files, so that the calls come in one order. */
const oneThread = { UV_THREADPOOL_SIZE: '1' };

export function startProcess(script: string, task: unknown, wanted: { readonly injection: Injection; readonly traceFile: string } | undefined): Running {
  const command = [process.execPath, script, JSON.stringify(task)];
  const [program = '', ...parameters] = wanted === undefined ? command : [...straceOf(wanted.injection, wanted.traceFile), ...command];
  const environment = { ...process.env, ...(wanted === undefined ? {} : oneThread) };
  const child = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'], env: environment, detached: true });
  let words = '';
  child.stderr.on('data', (data: Buffer) => { words += data.toString(); });
  let hangs = false;
  const patience = setTimeout(() => {
    hangs = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL'); // strace, and what it watches
  }, longestRunMs);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(patience);
      if (hangs) words += 'it hung';
      const end = hangs ? 'failed' : signal !== null ? 'died' : code === 0 ? 'ended' : 'failed';
      resolve({ end, signal: signal ?? undefined, words, struckAt: wanted === undefined ? undefined : lastCall(wanted.traceFile) });
    });
  });
  return { pid: child.pid, ended };
}

/**
 * A process kills itself when the index's header can't be written; after any failed write LMDB's binding may find its memory
 * spoilt and abort, which it says before: see docs/durability.md. Throws for every other end that nobody wanted.
 */
export function assertOnlyTormented({ end, signal, words }: Outcome): void {
  const bindingGaveUp = (signal === 'SIGABRT' || signal === 'SIGSEGV') && words.includes('Write error: ');
  if (end === 'failed' || (end === 'died' && signal !== 'SIGKILL' && !bindingGaveUp)) throw new Error(`a process failed by itself (${signal ?? 'no signal'}):\n${words}`);
}

function straceOf({ calls, paths, effect, when, watched }: Injection, traceFile: string): string[] {
  rmSync(traceFile, { force: true });
  return [
    'strace', '-f', '-qq', '-y', '-s', '8', '-o', traceFile, '-e', `trace=${watched ?? calls}`, '-e', 'signal=none',
    ...paths.flatMap((path) => ['-P', path]), '-e', `inject=${calls}:${effect}:when=${when}`,
  ];
}

function lastCall(traceFile: string): string | undefined {
  const lines = readFileSync(traceFile, 'utf8').split('\n').filter((line) => /^\d+ +\w+\(/.test(line));
  return lines.findLast((line) => line.includes('INJECTED')) ?? lines.findLast((line) => line.includes('= ?') || line.includes('unfinished')) ?? lines.at(-1);
}
