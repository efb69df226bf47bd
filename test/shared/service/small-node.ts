/**
 * A node with nothing in it but its life: started by the supervisor's test as a process of its own. It prints what
 * happens as JSON lines and takes orders as lines on standard input.
 */
import cluster from 'node:cluster';
import { createInterface } from 'node:readline';
import { createLog } from '../../../shared/log/log.ts';
import { supervise } from '../../../shared/service/supervisor.ts';
import { runWorker } from '../../../shared/service/worker.ts';

const tell = (what: object): void => {
  process.stdout.write(`${JSON.stringify({ pid: process.pid, ...what })}\n`);
};

const log = createLog({ node: 'small', level: 'silent' });

if (cluster.isPrimary) {
  const options = { log, workers: 2, drainMs: 2000, configuration: 'first' };
  const supervisor = supervise(options);
  supervisor.started.then(
    () => tell({ event: 'started', living: supervisor.living() }),
    (error: unknown) => tell({ event: 'refused', error: String(error) }),
  );
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'stop') supervisor.stop().then(() => process.exit(0), () => process.exit(1));
    else {
      supervisor.reload({ ...options, configuration: line }).then(
        () => tell({ event: 'reloaded', living: supervisor.living() }),
        (error: unknown) => tell({ event: 'refused', error: error instanceof Error ? error.message : String(error) }),
      );
    }
  });
} else {
  const channel = {
    send: (report: object): void => {
      process.send?.(report);
    },
    onMessage: (listener: (message: unknown) => void): void => {
      process.on('message', listener);
    },
  };
  const ended = await runWorker(channel, async ({ slot, configuration, hints }) => {
    if (configuration === 'bad') throw new Error('that is bad');
    hints.subscribe((hint) => tell({ event: 'heard', hint }));
    tell({ event: 'began', slot, configuration });
    setTimeout(() => hints.publish({ account: `from ${String(slot)}` }), 300);
    return Promise.resolve({
      log,
      services: [],
      onAppointed: async () => {
        tell({ event: 'appointed', configuration });
        return Promise.resolve([]);
      },
      close: async () => Promise.resolve(tell({ event: 'closed', configuration })),
    });
  });
  process.exit(ended === 'drained' ? 0 : 1);
}
