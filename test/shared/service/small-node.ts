/**
 * A node with nothing in it but its life: started by the supervisor's test as a process of its own. It prints what
 * happens as JSON lines and takes orders as lines on standard input. Its one service echoes lines, each with its
 * configuration before it, on a port that all workers share. With the word `by-turns` connections are handed out;
 * with `watch` workers that hang are ended after 3 s, with `watch-closely` after 1 s; with `alone` there is one. One that hears `hang` in a session does so;
 * one with the configuration `deaf` listens nowhere, with `stuck` it hangs for a minute at its start. After the order `doom` new workers die before they listen.
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import * as net from 'node:net';
import { createInterface } from 'node:readline';
import { logTo } from '../../../shared/log/log.ts';
import { counter } from '../../../shared/metrics/metrics.ts';
import { valueOf } from '../../../shared/metrics/snapshot.ts';
import { supervise } from '../../../shared/service/supervisor.ts';
import { runWorker } from '../../../shared/service/worker.ts';
import type { Service } from '../../../shared/service/service.ts';

const tell = (what: object): void => {
  process.stdout.write(`${JSON.stringify({ pid: process.pid, ...what })}\n`);
};

const log = logTo({ level: 'informational', write: (line) => tell({ event: 'log', line: JSON.parse(line) as unknown }) }, 'small');

const began = counter({ name: 'waybill_test_began', help: 'Workers that began.' });

/** Work that exists once per node, and takes a while to let go of. */
const letGoMs = 200;

async function startEcho(configuration: string): Promise<Service & { readonly port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    tell({ event: 'session' });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      while (data.toString().startsWith('hang'));
      socket.write(`${configuration}: ${data.toString()}`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const retire = async (): Promise<void> => new Promise((resolve) => {
    server.close(() => resolve());
  });
  return {
    name: 'echo',
    port: (server.address() as net.AddressInfo).port,
    retire,
    stop: async () => {
      for (const socket of sockets) socket.end('goodbye\r\n');
      return retire();
    },
  };
}

function onceService(configuration: string): Service {
  const letGo = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, letGoMs));
    tell({ event: 'let go', configuration });
  };
  return { name: 'once', retire: letGo, stop: async () => Promise.resolve() };
}

if (cluster.isPrimary) {
  const connections = process.argv.includes('by-turns') ? 'by turns' as const : 'first come' as const;
  const hangMs = process.argv.includes('watch') ? 3000 : process.argv.includes('watch-closely') ? 1000 : 600_000;
  const options = { log, workers: process.argv.includes('alone') ? 1 : 2, connections, engineFlags: [], drainMs: 2000, retireMs: 30_000, hangMs, configuration: 'first' };
  const supervisor = supervise(options);
  supervisor.started.then(
    () => tell({ event: 'started', living: supervisor.living() }),
    (error: unknown) => tell({ event: 'refused', error: String(error) }),
  );
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'doom') process.env['DOOMED'] = 'yes';
    else if (line === 'stop') supervisor.stop().then(() => process.exit(0), () => process.exit(1));
    else {
      supervisor.reload({ ...options, configuration: line, retireMs: line === 'impatient' ? 300 : options.retireMs }).then(
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
  const ended = await runWorker(channel, async ({ slot, configuration, hints, measure }) => {
    if (process.env['DOOMED'] === 'yes') process.exit(3);
    if (configuration === 'stuck') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
    if (configuration === 'bad') throw new Error('that is bad');
    hints.subscribe((hint) => tell({ event: 'heard', hint, configuration }));
    began.add({});
    setInterval(() => {
      void measure().then((counted) => tell({ event: 'counted', began: valueOf(counted, 'waybill_test_began'), workers: valueOf(counted, 'waybill_workers', { stage: 'ready' }), restarts: valueOf(counted, 'waybill_worker_restarts'), hangs: valueOf(counted, 'waybill_worker_hangs') }));
    }, 200).unref();
    const services = configuration === 'deaf' ? [] : [await startEcho(configuration)];
    tell({ event: 'began', slot, configuration, port: services[0]?.port });
    setTimeout(() => hints.publish({ account: `from ${String(slot)} of ${configuration}` }), 1500);
    return {
      log,
      services,
      admin: [],
      renew: async () => Promise.resolve(),
      onAppointed: async () => {
        tell({ event: 'appointed', configuration });
        return Promise.resolve([onceService(configuration)]);
      },
      close: async () => Promise.resolve(tell({ event: 'closed', configuration })),
    };
  });
  process.exit(ended === 'drained' ? 0 : 1);
}
