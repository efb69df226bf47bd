/**
 * Ports of 127.0.0.1 for programs that can't choose one themselves. Not from where the system chooses them: between the choice and the
 * program's start, which may take seconds on a busy machine, it would give the port to somebody else.
 */
import { createServer } from 'node:net';
import { probePort } from '../../shared/net/probe-port.ts';

/** Beyond those of clusters of tests and below those that Linux gives away by itself (ip_local_port_range, from 32768). */
const range = { first: 11_100, last: 11_998 };
const mostAttempts = 10_000;

/** A port that nobody listens at, and that no other call in any process answers as long as this process lives. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const port = range.first + Math.floor(Math.random() * (range.last - range.first + 1));
    if ((await isReserved(port)) && (await probePort('127.0.0.1', port)) === 'free') return port;
  }
  throw new Error(`all ports from ${String(range.first)} to ${String(range.last)} are in use`);
}

/** By a socket of this name (abstract, unix(7)): the kernel lets one process have it, and frees it when that ends, however it ends. */
async function isReserved(port: number): Promise<boolean> {
  const lock = createServer();
  return new Promise((resolve, reject) => {
    lock.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    lock.listen(`\0waybill-test-port-${String(port)}`, () => resolve(true)).unref();
  });
}
