/** A little cluster for the tests of mail's way through back-ends: nodes in this process or in processes that can be killed, front-end legs, the world outside, what lies in an INBOX. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';
import { openSmtpClient } from '../../../shared/smtp/client.ts';
import type { SmtpClient, XclientAttributes } from '../../../shared/smtp/client.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import type { TestCertificate } from '../../harness/certificates.ts';
import { testProcess } from '../../harness/program-file.ts';
import { startTestNode } from './test-node.ts';
import type { NodeSettings, TestNode } from './test-node.ts';

const certificates = await makeCertificates({ fe1: 'frontend', be1: 'backend', be2: 'backend', be9: 'backend' });

export function certificateOf(node: string): TestCertificate {
  const certificate = certificates[node];
  if (certificate === undefined) throw new Error(`no certificate for ${node}`);
  return certificate;
}

export const usualOwners = {
  'alice@example.com': 'be1', 'carol@example.com': 'be1', 'erin@example.com': 'be1',
  'bob@example.com': 'be2', 'dave@example.com': 'be2',
} as const;

/** A node in a process of its own. */
export interface KillableNode {
  readonly ports: TestNode['ports'];
  kill(): Promise<void>;
}

export class TestCluster {
  readonly directory: string;
  readonly #ports: Record<string, number> = {};

  constructor(t: TestContext) {
    this.directory = mkdtempSync(join(tmpdir(), 'waybill-mail-'));
    this.#writePorts();
    t.after(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  settings(name: string, changes: Partial<NodeSettings> = {}): NodeSettings {
    return { name, directory: join(this.directory, name), owners: usualOwners, portsFile: this.#portsFile, certificate: certificateOf(name), ...changes };
  }

  /** Starts a node in this process. Stopped by the caller, or with the test. */
  async start(t: TestContext, name: string, changes: Partial<NodeSettings> = {}): Promise<TestNode> {
    const node = await startTestNode(this.settings(name, changes));
    this.#announce(name, node.ports);
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopping ??= node.stop());
    t.after(stop);
    return { ...node, stop };
  }

  /** Starts a node that can be killed; it is killed with the test. */
  async fork(t: TestContext, name: string, changes: Partial<NodeSettings> = {}): Promise<KillableNode> {
    const child = fork(testProcess('backend/processing/node-process'), [JSON.stringify(this.settings(name, changes))], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    t.after(() => killed(child));
    const [message] = (await once(child, 'message')) as [{ ports: TestNode['ports'] }];
    this.#announce(name, message.ports);
    return { ports: message.ports, kill: () => killed(child) };
  }

  /** Where the others find the node; a port where nobody listens makes it a dead one. */
  announce(name: string, port: number): void {
    this.#ports[name] = port;
    this.#writePorts();
  }

  #announce(name: string, ports: TestNode['ports']): void {
    this.announce(`${name} admin`, ports.admin);
    this.announce(name, ports.lmtp);
  }

  get #portsFile(): string {
    return join(this.directory, 'ports.json');
  }

  #writePorts(): void {
    writeFileSync(`${this.#portsFile}.new`, JSON.stringify(this.#ports));
    renameSync(`${this.#portsFile}.new`, this.#portsFile);
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const client: XclientAttributes = { address: '192.0.2.7', port: 4242, hello: 'mail.example.net', protocol: 'ESMTPS' };

/** A leg as a front-end opens it: by its certificate, with the client's address forwarded. */
export async function openLeg(port: number, options: { readonly node?: string; readonly protocol?: 'lmtp' | 'smtp'; readonly login?: string; readonly address?: string; readonly finalMs?: number } = {}): Promise<SmtpClient> {
  const { certificate: cert, key, authority: ca } = certificateOf(options.node ?? 'fe1');
  const timeouts = { greetingMs: 5000, commandMs: 5000, mailMs: 5000, rcptMs: 5000, dataMs: 5000, messageMs: 90_000, finalMs: options.finalMs ?? 10_000 };
  const leg = await openSmtpClient({ host: '127.0.0.1', port, timeoutMs: 5000, tls: { cert, key, ca, servername: 'localhost' } }, { protocol: options.protocol ?? 'lmtp', timeouts });
  await leg.hello('fe1.example.com');
  if (options.node === undefined) {
    await leg.xclient({ ...client, address: options.address ?? client.address, ...(options.login === undefined ? {} : { login: options.login }) });
    await leg.hello('fe1.example.com');
  }
  return leg;
}

/** Between two looks of `until`. */
export const lookEveryMs = 20;

/** The INBOX's messages, whole, in the order of arrival. */
export async function inboxOf(node: Pick<TestNode, 'storage'>, address: string): Promise<string[]> {
  const record = node.storage.find(address);
  const inbox = record.at === 'live' ? record.account.mailbox('INBOX') : undefined;
  if (inbox === undefined) return [];
  return Promise.all(inbox.rows().map(async ({ uid }) => {
    const message = inbox.message(uid);
    return message === undefined ? '' : (await message.read(0, message.size)).toString();
  }));
}

export function messageOf(subject: string, fields = ''): Buffer {
  return Buffer.from(`From: s@example.net\r\nTo: somebody@example.com\r\nSubject: ${subject}\r\n${fields}\r\nbody of ${subject}\r\n`);
}

export async function* pieces(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  await Promise.resolve();
  yield bytes;
}

/** Waits until the condition holds, and says which one did not. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, patienceMs = 30_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

export interface World {
  readonly port: number;
  /** What was taken, in order. */
  readonly taken: { readonly from: string; readonly to: readonly string[]; readonly text: string }[];
  /** What of its recipients it was asked to report (RFC 3461), of those with such a wish. */
  readonly wishes: { readonly address: string; readonly notify: string }[];
  readonly connections: () => number;
  stop(): Promise<void>;
}

/** A real SMTP server that stands for the world outside. */
export async function startWorld(t: TestContext, options: SMTPServerOptions & { readonly port?: number } = {}): Promise<World> {
  const taken: World['taken'] = [];
  const wishes: World['wishes'] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true, closeTimeout: 100, disabledCommands: ['AUTH'], hideDSN: false, key: certificateOf('be2').key, cert: certificateOf('be2').certificate,
    onConnect: (_, done) => {
      connections += 1;
      done();
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
        for (const { address, dsn } of session.envelope.rcptTo) if (dsn?.notify !== undefined) wishes.push({ address, notify: dsn.notify.join(',') });
        taken.push({ from, to: session.envelope.rcptTo.map(({ address }) => address), text: Buffer.concat(parts).toString() });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  const listening = server.listen(options.port ?? 0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= new Promise((resolve) => server.close(() => resolve())));
  t.after(stop);
  return { port: typeof address === 'object' && address !== null ? address.port : 0, taken, wishes, connections: () => connections, stop };
}
