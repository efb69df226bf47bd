/** Makes a server's disk slower than it is: a small library that is preloaded into its processes (slow-flush.c) and waits at each flush. */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

/** Compiles the library into that folder, which anybody may enter from then on; answers what runs a command with it. */
export function slowingFlushes(folder: string, delayMs: number): (command: readonly string[]) => readonly string[] {
  const library = join(folder, 'slow-flush.so');
  // No header and no start-up code of a C library is needed, so the compiler alone has to be there.
  const run = spawnSync('tcc', ['-shared', '-nostdlib', '-o', library, join(import.meta.dirname, 'slow-flush.c')], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`tcc: ${run.stderr}${String(run.error ?? '')}`);
  chmodSync(folder, 0o755);
  return (command) => ['env', `LD_PRELOAD=${library}`, `FLUSH_DELAY_US=${String(delayMs * 1000)}`, ...command];
}
