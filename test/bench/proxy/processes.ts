/** Servers as child processes: started and ended by their number, and what a whole family of processes costs (Linux' /proc). */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Linux counts a process's time in hundredths of a second (USER_HZ, proc(5)). */
const tickMs = 10;

/** Starts a program whose complaints go to ours, and waits until it accepts connections everywhere. */
export async function startProgram(command: readonly string[], places: readonly { readonly address: string; readonly port: number }[]): Promise<ChildProcess> {
  const [file = '', ...words] = command;
  // In a session of its own, as the nodes of a cluster are: Linux shares processors out by session (autogroups, sched(7)).
  // Signals to ours don't reach it, so it gets one from the kernel when this process ends, however that ends (PR_SET_PDEATHSIG(2const)).
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', file, ...words], { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  for (const { address, port } of places) {
    for (let attempt = 0; !(await accepts(address, port)); attempt += 1) {
      if (child.exitCode !== null || attempt > 400) throw new Error(`${command.join(' ')} does not listen at ${address}:${String(port)}`);
      await sleep(50);
    }
  }
  return child;
}

export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}

async function accepts(address: string, port: number): Promise<boolean> {
  const socket = connect(port, address);
  const answer = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return answer;
}

/** The time that the families of these processes have used, children that ended included, in milliseconds. */
export function cpuMs(roots: readonly number[]): number {
  return sum(family(roots), (pid) => fields(pid).slice(11, 15).reduce((total, ticks) => total + Number(ticks), 0) * tickMs);
}

/** Memory that the families hold, in kB: resident (shared pages count in each process), and the proportional share of it. */
export function memoryKilobytes(roots: readonly number[]): { readonly resident: number; readonly proportional: number } {
  const pids = family(roots);
  const read = (name: 'Rss' | 'Pss') => (pid: number): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(textOf(pid, 'smaps_rollup'))?.[1] ?? 0);
  return { resident: sum(pids, read('Rss')), proportional: sum(pids, read('Pss')) };
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}

/** The processes and all their descendants. */
function family(roots: readonly number[]): readonly number[] {
  const parents = new Map(readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => [Number(name), Number(fields(Number(name))[1])]));
  const members = new Set(roots);
  for (let before = 0; before < members.size;) {
    before = members.size;
    for (const [pid, parent] of parents) if (members.has(parent)) members.add(pid);
  }
  return [...members];
}

/** What /proc/PID/stat says after the name: state, parent … (proc(5)). */
function fields(pid: number): readonly string[] {
  const text = textOf(pid, 'stat');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Nothing for a process that ended meanwhile. */
function textOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'utf8');
  } catch {
    return ''; // ended: whoever waited for it has its time
  }
}
