/**
 * Many idle sessions at one front-end while the configuration, the certificate and workers change: no session ends that need not.
 * Used by `npm run torture -- soak [sessions]` (run.ts), and in short by short.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { issueCertificate } from '../../../shared/tls/authority.ts';
import { logIn, open } from '../../bench/proxy/client.ts';
import type { Talk } from '../../bench/proxy/client.ts';
import { startCluster } from '../../harness/cluster.ts';
import type { Cluster, NodeName } from '../../harness/cluster.ts';
import { logLine } from '../../harness/log-lines.ts';
import { connectionsTo, workersOf } from './worker-connections.ts';

const nodes: readonly NodeName[] = ['fe1', 'be1', 'be2'];
const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'] as const;
/** Logins at the same time while the sessions begin. */
const atOnce = 20;
const frontendWorkers = 2;
const patienceMs = 120_000;

export class Soak {
  readonly cluster: Cluster;
  #sessions: Talk[] = [];
  #versions = 0;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  static async start(sessions: number): Promise<Soak> {
    const room = `maxConnections: ${String(sessions + 1000)}`;
    const cluster = await startCluster({
      nodes,
      changeConfig: (yaml) => yaml.replace('workers: 1', `workers: ${String(frontendWorkers)}`).replace('\nnodes:\n', `
frontends:
  services: { imapProxy: { ${room} }, smtpProxy: { maxRecipients: 1000 } }
backends:
  workers: 2
  services: { imap: { ${room}, maxConnectionsPerUser: ${String(sessions)} } }

nodes:
`),
    });
    return new Soak(cluster);
  }

  /** Sessions that idle (RFC 2177), over TLS, dealt out over the users. */
  async begin(sessions: number, progress: (text: string) => void): Promise<void> {
    const target = { protocol: 'imap', leg: 'tls', port: this.cluster.port('fe1', 'imaps') } as const;
    while (this.#sessions.length < sessions) {
      const first = this.#sessions.length;
      this.#sessions.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, sessions - first) }, async (_, index) => {
        const talk = await open(target);
        await logIn(talk, 'imap', { name: users[(first + index) % users.length] ?? '', password: this.cluster.password });
        await talk.say('s SELECT INBOX\r\n', 's OK');
        await talk.say('i IDLE\r\n', '+');
        return talk;
      }))));
      if (this.#sessions.length % 1000 < atOnce) progress(`${String(this.#sessions.length)} sessions idle`);
    }
  }

  /** A version of the configuration that all three nodes put to use: another limit, and a listener that comes or goes. */
  async newVersion(): Promise<void> {
    const from = new Map(nodes.map((node) => [node, this.cluster.log(node).length]));
    this.#versions += 1;
    const port = this.cluster.port('fe1', 'imap');
    const extra = `          - { address: "127.0.0.1:${String(port + 1)}", tls: starttls }\n`;
    const yaml = readFileSync(this.cluster.configFile, 'utf8').replace(/maxRecipients: \d+/, `maxRecipients: ${String(1000 + this.#versions)}`);
    const listener = new RegExp(`.*"127\\.0\\.0\\.1:${String(port)}".*\\n`);
    writeFileSync(this.cluster.configFile, yaml.includes(extra) ? yaml.replace(extra, '') : yaml.replace(listener, (line) => `${line}${extra}`));
    for (const node of nodes) await logLine(this.cluster, node, { words: ['runs the new configuration'], from: from.get(node) ?? 0, patienceMs });
    this.#allLive(0);
  }

  /** Another certificate for clients, in the place of the one in use; answers when a new client is shown it. */
  async newCertificate(): Promise<void> {
    const tls = (name: string): string => join(this.cluster.folder, 'tls', name);
    const read = (name: string): string => readFileSync(tls(name), 'utf8');
    const { certificate, key } = await issueCertificate({ certificate: read('authority.pem'), key: read('authority-key.pem') }, { subject: { CN: `soak ${String(this.#versions)}` }, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'] });
    for (const [name, text] of [['server-key.pem', key], ['server.pem', certificate]] as const) {
      writeFileSync(tls(`${name}.new`), text, { mode: 0o600 });
      renameSync(tls(`${name}.new`), tls(name));
    }
    for (const node of nodes) process.kill(this.cluster.pid(node), 'SIGHUP');
    for (const deadline = Date.now() + patienceMs; (await this.#shownName()) !== `soak ${String(this.#versions)}`;) {
      assert.ok(Date.now() < deadline, 'new clients are shown the certificate of before');
      await sleep(200);
    }
    this.#allLive(0);
  }

  /** Kills the worker of the front-end that holds most of the sessions: its own end, and those of nobody else. Answers how many. */
  async killWorker(): Promise<number> {
    const port = this.cluster.port('fe1', 'imaps');
    const [fullest] = workersOf(this.cluster.pid('fe1')).map((pid) => ({ pid, held: connectionsTo(port, pid) })).toSorted((a, b) => b.held - a.held);
    assert.ok(fullest !== undefined && fullest.held > 0, 'no worker holds a session');
    process.kill(fullest.pid, 'SIGKILL');
    for (const deadline = Date.now() + patienceMs; this.#sessions.filter((talk) => !talk.open).length < fullest.held;) {
      assert.ok(Date.now() < deadline, 'sessions of a worker that was killed are still open');
      await sleep(50);
    }
    await sleep(1000); // whoever else is to fall, falls now
    this.#allLive(fullest.held);
    this.#sessions = this.#sessions.filter((talk) => talk.open);
    return fullest.held;
  }

  /** Each session answers. */
  async wakeAll(): Promise<number> {
    for (let at = 0; at < this.#sessions.length; at += atOnce) {
      await Promise.all(this.#sessions.slice(at, at + atOnce).map(async (talk) => {
        await talk.say('DONE\r\n', 'i OK');
        await talk.say('n NOOP\r\n', 'n OK');
        await talk.say('i IDLE\r\n', '+');
      }));
    }
    return this.#sessions.length;
  }

  async stop(): Promise<void> {
    for (const talk of this.#sessions) talk.end();
    await this.cluster.stop();
  }

  #allLive(butFor: number): void {
    assert.equal(this.#sessions.filter((talk) => !talk.open).length, butFor, 'sessions that ended');
  }

  async #shownName(): Promise<string | undefined> {
    const socket = connect({ port: this.cluster.port('fe1', 'imaps'), host: '127.0.0.1', rejectUnauthorized: false });
    try {
      return await new Promise<string | undefined>((resolve, reject) => {
        socket.once('secureConnect', () => {
          const { CN: name } = socket.getPeerCertificate().subject;
          resolve(typeof name === 'string' ? name : undefined);
        });
        socket.once('error', reject);
      });
    } finally {
      socket.destroy();
    }
  }
}
