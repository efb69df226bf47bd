/** What the system tells of another process, from outside: it may hang. Nothing where there is no /proc. */
import { readFileSync } from 'node:fs';

export interface ProcessSight {
  /** proc_pid_stat(5): R runs, S sleeps, D waits for a disk, T was stopped. */
  readonly state: string;
  /** The call of the kernel that it waits in, where the system says it. */
  readonly waitsIn: string | undefined;
  readonly tracer: 'traced' | 'none';
  /** Of processor time, since it began. */
  readonly processorMs: number;
}

/** The unit of times in /proc: USER_HZ, which is 100 wherever Node runs (time(7)). */
const tickMs = 10;

/** Undefined for a process that is gone, too. */
export function sightOf(pid: number): ProcessSight | undefined {
  try {
    const of = (file: string): string => readFileSync(`/proc/${String(pid)}/${file}`, 'latin1');
    const stat = of('stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold spaces and brackets
    const [, tracer = '0'] = /^TracerPid:\s+(\d+)/m.exec(of('status')) ?? [];
    return { state: fields[0] ?? '', waitsIn: waitsIn(pid), tracer: tracer === '0' ? 'none' : 'traced', processorMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return undefined;
  }
}

/** Not every system tells it, and `0` stands for nothing. */
function waitsIn(pid: number): string | undefined {
  try {
    const name = readFileSync(`/proc/${String(pid)}/wchan`, 'latin1');
    return name === '0' ? undefined : name;
  } catch {
    return undefined;
  }
}
