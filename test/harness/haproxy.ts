/** A real HAProxy for tests: Debian's, as a child process, balancing by PROXY protocol from an address of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

export interface HaproxyRoad {
  readonly name: string;
  /** Where it passes connections on. */
  readonly port: number;
  /** How the server's line goes on: `send-proxy`, `send-proxy-v2-ssl` … */
  readonly how: string;
  /** PEM file with certificate and key: it ends the client's TLS itself. */
  readonly certificate?: string;
}

export interface Haproxy {
  /** Where clients of a road connect. */
  port(name: string): number;
  /** Waits until it has said something. */
  said(words: RegExp): Promise<void>;
  stop(): Promise<void>;
}

/** The address it connects from: what the nodes know it by. */
export const haproxyAddress = '127.0.0.9';

export async function startHaproxy(roads: readonly HaproxyRoad[]): Promise<Haproxy> {
  const ports = new Map<string, number>();
  for (const { name } of roads) ports.set(name, await freePort());
  const sections = roads.map(({ name, port, how, certificate }) => [
    `listen ${name}`, `  bind 127.0.0.1:${String(ports.get(name))}${certificate === undefined ? '' : ` ssl crt ${certificate}`}`,
    `  server node 127.0.0.1:${String(port)} source ${haproxyAddress} ${how}`,
  ].join('\n'));
  return run(['global', '  maxconn 200', 'defaults', '  mode tcp', '  timeout connect 5s', '  timeout client 60s', '  timeout server 60s', ...sections, ''].join('\n'), ports);
}

/** Where the machines of a documented file are in the test: by its address and port, the real port; and the port of each one's admin API. */
export interface HaproxyPlaces {
  readonly port: (address: string, port: number) => number;
  readonly admin: (address: string) => number;
  /** PEM file with certificate and key, for the one that the file names. */
  readonly certificate: string;
}

/** A file of docs/load-balancer as it stands, with other addresses; its roads are its sections `listen`. */
export async function startDocumentedHaproxy(file: string, { port, admin, certificate }: HaproxyPlaces): Promise<Haproxy> {
  const ports = new Map<string, number>();
  const lines: string[] = [];
  let section = '';
  for (const line of (await fs.readFile(file, 'utf8')).split('\n')) {
    section = /^listen (\S+)/.exec(line)?.[1] ?? section;
    if (line.startsWith('  bind ')) ports.set(section, await freePort());
    lines.push(line
      .replace(/bind :\d+/, `bind 127.0.0.1:${String(ports.get(section))}`)
      .replace(/(?<= )(10\.0\.0\.\d+):(\d+)/, (_, address: string, its: string) => `127.0.0.1:${String(port(address, Number(its)))} source ${haproxyAddress} check port ${String(admin(address))}`)
      .replace('/etc/haproxy/mail.pem', certificate).replace('maxconn 20000', 'maxconn 200')
      .replace(/^ {2}log \/dev\/log local0$/, ''));
  }
  return run(lines.join('\n'), ports);
}

async function run(configuration: string, ports: ReadonlyMap<string, number>): Promise<Haproxy> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'haproxy-'));
  const file = path.join(folder, 'haproxy.cfg');
  await fs.writeFile(file, configuration);
  const child = spawn('/usr/sbin/haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { words += chunk.toString(); });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await fs.rm(folder, { recursive: true, force: true });
  };
  for (const port of ports.values()) {
    if (await accepts(port)) continue;
    await stop();
    throw new Error(`HAProxy did not start:\n${words}`);
  }
  const said = async (wanted: RegExp): Promise<void> => {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      if (wanted.test(words)) return;
      await sleep(100);
    }
    throw new Error(`HAProxy did not say ${String(wanted)} but:\n${words}`);
  };
  return { port: (name) => ports.get(name) ?? 0, said, stop };
}

async function accepts(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const socket = net.connect(port, '127.0.0.1');
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (connected) return true;
    await sleep(100);
  }
  return false;
}
