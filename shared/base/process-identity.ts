/** Names a process so that another can tell later whether that very process still lives, though its pid may be used again. */
import { readFileSync } from 'node:fs';

let known: string | undefined;

/** This process: its pid and, where the system tells, when it started, and since which boot that is counted. Asked of the system once: each delivery bears it. */
export function thisProcess(): string {
  known ??= `${process.pid}:${startTime(process.pid) ?? ''}`;
  return known;
}

/** Whether the process that called itself so is still running. */
export function isAlive(identity: string): boolean {
  const [pid = '', started = ''] = identity.split(':');
  const number = Number(pid);
  const now = startTime(number);
  if (now !== undefined || started !== '') return now === started;
  return answersSignal(number);
}

/**
 * Clock ticks from boot to the process's start (proc_pid_stat(5), field 22) and the id of that boot: after another, the
 * same pid may well start at the same tick. Undefined when the process is gone or a zombie.
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold spaces and brackets
    return fields[0] === 'Z' ? undefined : `${fields[19]}@${bootId()}`;
  } catch {
    return undefined; // no such process, or a system without /proc
  }
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
