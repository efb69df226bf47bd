/** Pebble, the ACME server of Let's Encrypt for tests, with a name server of its own for which every name is 127.0.0.1. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { probePort } from '../../shared/net/probe-port.ts';
import { freePort } from './free-port.ts';

export interface Pebble {
  readonly directoryUrl: string;
  /** From now on every name leads there. */
  resolveTo(address: string): Promise<void>;
  stop(): Promise<void>;
}

export interface PebbleOptions {
  /** Where names are checked. */
  readonly httpPort: number;
  /** For localhost. */
  readonly certificate: string;
  readonly privateKey: string;
  readonly port: number;
  readonly validSeconds: number;
  /** Names that it refuses. */
  readonly refused: readonly string[];
}

/** It refuses two of five good nonces, and wants every name proven anew. */
export async function startPebble(folder: string, options: PebbleOptions): Promise<Pebble> {
  const [management, dns, dnsManagement] = [await freePort(), await freePort(), await freePort()];
  const config = path.join(folder, 'pebble.json');
  fs.writeFileSync(config, JSON.stringify({ pebble: {
    listenAddress: `127.0.0.1:${String(options.port)}`, managementListenAddress: `127.0.0.1:${String(management)}`,
    certificate: options.certificate, privateKey: options.privateKey, httpPort: options.httpPort, tlsPort: options.httpPort, ocspResponderURL: '', externalAccountBindingRequired: false,
    certificateValidityPeriod: options.validSeconds, domainBlocklist: options.refused,
  } }));
  const children = [
    spawn('pebble-challtestsrv', ['-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', '-dns01', `127.0.0.1:${String(dns)}`, '-http01', '', '-https01', '', '-tlsalpn01', '', '-management', `127.0.0.1:${String(dnsManagement)}`], { stdio: 'ignore' }),
    spawn('pebble', ['-config', config, '-dnsserver', `127.0.0.1:${String(dns)}`], { stdio: 'ignore', env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '40', PEBBLE_AUTHZREUSE: '0' } }),
  ];
  for (const deadline = Date.now() + 60_000; await probePort('127.0.0.1', options.port) === 'free'; await sleep(50)) {
    if (Date.now() > deadline) throw new Error('pebble does not listen');
  }
  return {
    directoryUrl: `https://localhost:${String(options.port)}/dir`,
    resolveTo: async (ip) => {
      const { status } = await fetch(`http://127.0.0.1:${String(dnsManagement)}/set-default-ipv4`, { method: 'POST', body: JSON.stringify({ ip }) });
      if (status !== 200) throw new Error(`the name server answers ${String(status)}`);
    },
    stop: async () => { await Promise.all(children.map(end)); },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
