/**
 * Runs a configuration of docs/examples as it stands there, but for what can't be had on one machine: its files lie in a
 * temporary folder, its addresses are ports of 127.0.0.1, its directories are those of the test.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import type { CertificateRequest } from '../../shared/tls/authority.ts';
import type { Doors } from './attempts.ts';
import { freePort } from './free-port.ts';
import { keptCertificates } from './kept-certificates.ts';
import { programFile } from './program-file.ts';
import { run } from './programs.ts';
import type { ProgramResult } from './programs.ts';

export const examplesFolder = path.resolve(import.meta.dirname, '..', '..', 'docs', 'examples');
const standardPorts: Readonly<Record<string, number>> = { smtp: 25, submissions: 465, imap: 143, imaps: 993, pop3: 110, pop3s: 995, https: 443 };

export interface ExampleOptions {
  /** A file of docs/examples. */
  readonly file: string;
  /** Texts of the example, and what stands for them here: servers beside Waybill. */
  readonly replace: Readonly<Record<string, string>>;
  /** Contents of secrets, by the names of their files; others are made. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Further files below /etc/waybill. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The `node` of its doors is the IP address that the example has. */
export interface Example extends Doors {
  readonly folder: string;
  readonly configFile: string;
  /** The port here for an address of the example, as `10.0.0.11:993`. */
  at(address: string): number;
  /** Runs a command to its end, with this example's configuration. */
  command(words: readonly string[], input?: string): Promise<ProgramResult>;
  /** Starts a command that stays: nodes; answers when they are ready. */
  start(words: readonly string[]): Promise<void>;
  /** Ends the command that was started as the one of this number, from 0. */
  stopCommand(index: number): Promise<void>;
  /** All that was logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Writes everything that the example needs; starts nothing. */
export async function prepareExample(options: ExampleOptions): Promise<Example> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-example-'));
  const ports = new Map<string, number>();
  const original = fs.readFileSync(path.join(examplesFolder, options.file), 'utf8');
  for (const [, address = ''] of original.matchAll(/address: "([^"]+)"/g)) ports.set(address, ports.get(address) ?? await freePort());
  const text = onThisMachine(original, { folder, ports, replace: options.replace });
  const configFile = path.join(folder, 'etc', options.file);
  fs.mkdirSync(path.join(folder, 'etc'), { recursive: true });
  fs.mkdirSync(path.join(folder, 'lib'));
  fs.writeFileSync(configFile, text);
  for (const [name, content] of Object.entries(options.files ?? {})) fs.writeFileSync(path.join(folder, 'etc', name), content);
  for (const [, name = ''] of text.matchAll(/\{ file: (\S+) \}/g)) write(name, options.secrets?.[path.basename(name)] ?? randomBytes(32).toString('hex'));
  await writeCertificates(text, folder);
  return new RunningExample(folder, configFile, ports);
}

function onThisMachine(original: string, { folder, ports, replace }: { readonly folder: string; readonly ports: ReadonlyMap<string, number>; readonly replace: ExampleOptions['replace'] }): string {
  let text = original;
  for (const [from, to] of Object.entries(replace)) {
    if (!text.includes(from)) throw new Error(`the example has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text
    .replaceAll('/etc/waybill', path.join(folder, 'etc'))
    .replaceAll('/var/lib/waybill', path.join(folder, 'lib'))
    .replaceAll(/address: "([^"]+)"/g, (_whole, address: string) => `address: "127.0.0.1:${String(ports.get(address))}"`)
    .replaceAll(/host: (?:10\.\d+\.\d+\.\d+|localhost)$/gm, 'host: 127.0.0.1')
    .replaceAll(/"10\.\d+\.\d+\.\d+\/32"/g, '"127.0.0.1/32"')
    .replace(/^ {2}primaryDomain:/m, '  workers: 1\n  drainSeconds: 1\n  primaryDomain:');
}

/** Those of this example; the test may name others. */
function certificateFiles(text: string, folder: string): string[] {
  return [...text.matchAll(/(\S+\.pem)\b/g)].map(([, name = '']) => name).filter((name) => name.startsWith(folder));
}

/** One authority for all; each node's certificate says who it is. */
async function writeCertificates(text: string, folder: string): Promise<void> {
  const { cluster, nodes } = parse(text) as { readonly cluster: { readonly name: string }; readonly nodes: Readonly<Record<string, { readonly role: string; readonly tls: { readonly nodeCertificate: string } }>> };
  const certificate = (subject: CertificateRequest['subject']): CertificateRequest => ({ subject, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server', 'client'] });
  const files = certificateFiles(text, folder);
  const wanted: readonly (readonly [file: string, request: CertificateRequest])[] = [
    ...Object.entries(nodes).map(([name, { role, tls }]) => [tls.nodeCertificate, certificate({ O: cluster.name, OU: role, CN: name })] as const),
    ...files.filter((file) => file.endsWith('/server.pem')).map((file) => [file, certificate({ CN: 'localhost' })] as const),
  ];
  const { authority, certificates } = await keptCertificates({
    authority: { commonName: 'example authority', organisation: cluster.name },
    certificates: Object.fromEntries(wanted.map(([file, request]) => [path.relative(folder, file), request])),
  });
  for (const [name, issued] of Object.entries(certificates)) {
    write(path.join(folder, name), issued.certificate);
    write(path.join(folder, name.replace(/\.pem$/, '-key.pem')), issued.key);
  }
  for (const file of files) if (file.endsWith('authority.pem')) write(file, authority.certificate);
}

function write(file: string, content: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content, { mode: 0o600 });
}

class RunningExample implements Example {
  readonly folder: string;
  readonly configFile: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #children: ChildProcess[] = [];
  #words = '';

  constructor(folder: string, configFile: string, ports: ReadonlyMap<string, number>) {
    this.folder = folder;
    this.configFile = configFile;
    this.#ports = ports;
  }

  at(address: string): number {
    const port = this.#ports.get(address);
    if (port === undefined) throw new Error(`the example has no listener at ${address}`);
    return port;
  }

  port(node: string, service: string): number {
    return this.at(`${node}:${String(standardPorts[service])}`);
  }

  async command(words: readonly string[], input?: string): Promise<ProgramResult> {
    return run(process.execPath, ['--disable-warning=DEP0060', programFile, ...words], input);
  }

  async start(words: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, ['--disable-warning=DEP0060', programFile, ...words, '--config', this.configFile], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => { this.#words += data.toString(); });
    this.#children.push(child);
    const over = once(child, 'exit').then(() => 'over');
    const ready = once(child, 'message').then(() => 'ready');
    if (await Promise.race([over, ready]) !== 'ready') throw new Error(`${words.join(' ')} did not start:\n${this.#words.slice(-3000)}`);
  }

  async stopCommand(index: number): Promise<void> {
    const child = this.#children[index];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }

  log(): string {
    return this.#words;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(async (_child, index) => this.stopCommand(index)));
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
