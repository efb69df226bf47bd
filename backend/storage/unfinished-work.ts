/**
 * A process that ends in the midst of a commit. The thread in which LMDB's binding (3.5.6) commits waits for the process's main thread to say what to write, and holds the
 * lock of all writers meanwhile; Node's orderly end waits for that thread, and the main thread says nothing any more. So it would last for ever,
 * and nobody else could write to that storage. Such a process is killed instead: as after any crash, the lock goes to the next, and what was not answered is open.
 */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

/** Commits and copies of all environments of this process that have begun. */
let running = 0;
let watched: 'yes' | 'no' = 'no';
let fault: unknown;

/** Before a commit or a copy of an environment. */
export function workBegins(): void {
  running += 1;
  if (watched === 'no') watchEnd();
}

/** After it, whatever came of it. */
export function workEnds(): void {
  running -= 1;
}

/** Later than whoever writes down at the end what it still holds, as the log does. */
function watchEnd(): void {
  watched = 'yes';
  process.on('uncaughtExceptionMonitor', (error) => { fault = error; });
  process.on('exit', () => {
    if (running === 0) return;
    if (fault !== undefined && process.listenerCount('uncaughtException') === 0) writeSync(process.stderr.fd, `${inspect(fault)}\n`); // Node would say it only after this
    process.kill(process.pid, 'SIGKILL');
  });
}
