/** Which flushes a server asks of the disk, as strace sees them: calls of the family of fsync, and writes through a descriptor with O_DSYNC. */
import { readFileSync } from 'node:fs';
import { callsIn } from '../../harness/strace-calls.ts';

const flushes: ReadonlySet<string> = new Set(['fsync', 'fdatasync', 'sync_file_range', 'msync']);
/** The way of LMDB's header, and of packs; Dovecot opens nothing so. */
const writes: ReadonlySet<string> = new Set(['pwrite64', 'pwritev', 'pwritev2']);

/** The command inside strace, which writes to that file. Other calls cost nothing (`--seccomp-bpf`). */
export function tracingFlushes(file: string): (command: readonly string[]) => readonly string[] {
  return (command) => ['strace', '-f', '--seccomp-bpf', '-qq', '-s', '0', '-e', 'signal=none', '-e', `trace=openat,${[...flushes, ...writes].join(',')}`, '-o', file, ...command];
}

export class FlushCount {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Flushes so far. Ask while the processes live: a thread's process is looked up. */
  now(): number {
    let count = 0;
    const synced = new Set<string>();
    const processes = new Map<string, string>();
    const processOf = (thread: string): string => {
      let known = processes.get(thread);
      if (known === undefined) processes.set(thread, known = groupOf(thread));
      return known;
    };
    for (const { name, parameters, result, thread } of callsIn(readFileSync(this.#file, 'latin1').split('\n'))) {
      const process = processOf(thread);
      if (name === 'openat') {
        const descriptor = `${process} ${result}`;
        if (/O_D?SYNC/.test(parameters)) synced.add(descriptor);
        else synced.delete(descriptor);
      } else if (flushes.has(name) || synced.has(`${process} ${/^\d+/.exec(parameters)?.[0] ?? ''}`)) count += 1;
    }
    return count;
  }
}

/** The process that a thread belongs to; itself when it has ended. */
function groupOf(thread: string): string {
  try {
    return /^Tgid:\s+(\d+)/m.exec(readFileSync(`/proc/${thread}/status`, 'latin1'))?.[1] ?? thread;
  } catch {
    return thread; // ended: it has done its part
  }
}
