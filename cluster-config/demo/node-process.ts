/**
 * One program of the demo (the directory or a node), or a node of a machine that runs several, as a child process: started, waited for, restarted when it dies by
 * itself, stopped. It runs in a process group of its own, so that Ctrl-C reaches the demo alone, which stops all in order.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DemoRefused } from './demo-refused.ts';

const readyWithinMs = 30_000;
const firstBackOffMs = 500;
const longestBackOffMs = 30_000;
/** A process that lived so long did not die of its start. */
const healthyAfterMs = 60_000;

export interface ProgramOptions {
  readonly name: string;
  /** Arguments for `node`, the program's file first. */
  readonly nodeArguments: readonly string[];
  /** Where its output goes; where ours goes when undefined. */
  readonly logFile: string | undefined;
  /** Tells the user what happened to it. */
  readonly report: (text: string) => void;
}

export class Program {
  readonly name: string;
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #stopping = false;
  #restart: NodeJS.Timeout | undefined;
  #backOffMs = firstBackOffMs;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Starts it and waits until it says that it is ready. @throws DemoRefused with the end of its log when it does not get there. */
  async start(): Promise<void> {
    const child = this.#spawn();
    const outcome = await readyOrOver(child);
    if (outcome === 'ready') {
      this.#watch(child);
      return;
    }
    killGroup(child, 'SIGKILL');
    const { logFile } = this.#options;
    throw new DemoRefused(`${this.name} could not start (${outcome})${logFile === undefined ? '; its log says why' : `. The end of ${logFile}:\n${await lastLines(logFile)}`}`);
  }

  /** Asks it to finish, and ends it when it has not after so long. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined || isOver(child)) return;
    const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.#options.report(`${this.name} did not stop within ${graceMs / 1000} s and is ended`);
      killGroup(child, 'SIGKILL');
    }, graceMs);
    await over;
    clearTimeout(timer);
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child !== undefined && !isOver(this.#child)) this.#child.kill(name);
  }

  /** Ends it at once. */
  kill(): void {
    this.#stopping = true;
    if (this.#child !== undefined && !isOver(this.#child)) killGroup(this.#child, 'SIGKILL');
  }

  #spawn(): ChildProcess {
    const { logFile, nodeArguments } = this.#options;
    const log = logFile === undefined ? undefined : openSync(logFile, 'a', 0o600);
    try {
      this.#child = spawn(process.execPath, [...nodeArguments], { stdio: ['ignore', log ?? 'inherit', log ?? 'inherit', 'ipc'], detached: true });
      return this.#child;
    } finally {
      if (log !== undefined) closeSync(log);
    }
  }

  /** Sees that it is started again when it ends unasked, after a wait that doubles. */
  #watch(child: ChildProcess): void {
    const bornMs = Date.now();
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      if (Date.now() - bornMs > healthyAfterMs) this.#backOffMs = firstBackOffMs;
      const waitMs = this.#backOffMs;
      this.#backOffMs = Math.min(waitMs * 2, longestBackOffMs);
      this.#options.report(`${this.name} ended (${howItEnded(code, signal)}); it is started again in ${waitMs / 1000} s${this.#options.logFile === undefined ? '' : `. Its log: ${this.#options.logFile}`}`);
      this.#restart = setTimeout(() => { this.#startAgain(); }, waitMs);
    });
  }

  #startAgain(): void {
    const child = this.#spawn();
    this.#watch(child);
    readyOrOver(child).then(
      (outcome) => {
        if (!this.#stopping) this.#options.report(outcome === 'ready' ? `${this.name} runs again` : `${this.name} does not get ready (${outcome})`);
      },
      (error: unknown) => { this.#options.report(`${this.name}: ${String(error)}`); },
    );
  }
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code ?? '?'}` : signal;
}

/** Waits for the child's word that it is ready, or for its end, or for the end of patience. */
async function readyOrOver(child: ChildProcess): Promise<string> {
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`not ready after ${readyWithinMs / 1000} s`), readyWithinMs);
    const settle = (outcome: string): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'ready' in message && message.ready === true) settle('ready');
    });
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(howItEnded(code, signal)));
  });
}

/** Signals the child and the worker processes it made. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Gone already: nothing is left to signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Stacks stay in the log. */
async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return text.trimEnd().split('\n').filter((line) => !/^\s+at /.test(line)).slice(-8).map((line) => `  ${line}`).join('\n');
}
