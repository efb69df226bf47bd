/** Clients that connect and say nothing, or a byte now and then: they are told and cut, and harm nobody. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { withWitness } from './bad-input-suite.ts';
import type { Place } from './bad-input-suite.ts';

/** As configured below; the least that may be. */
const limitSeconds = 5;

/** Short time limits for what a client may take before login. */
export function withShortLimits(yaml: string): string {
  const limits = ['imapProxy: { loginTimeoutSeconds: 5 }', 'pop3Proxy: { loginTimeoutSeconds: 5 }', 'smtpProxy: { idleTimeoutSeconds: 5 }'];
  return yaml.replace('\nnodes:\n', `\nfrontends: { services: { ${limits.join(', ')} } }\n\nnodes:\n`);
}

export function slowClientsSuite(place: Place): void {
  const { cluster, node } = place;
  describe(`slow clients at ${node}`, { concurrency: true }, () => {
    for (const [service, goodbye] of [['imap', /\* BYE \S/], ['pop3', /-ERR \S/], ['smtp', /421 \S/]] as const) {
      test(`thirty half-open clients of ${service} are told and cut, while others work on`, async () => {
        const clients = Array.from({ length: 30 }, (_unused, index) => new HalfOpen(cluster().port(node, service), index % 2 === 0 ? 'silent' : 'dripping'));
        await withWitness(place, async () => Promise.resolve());
        const startedAt = Date.now();
        // Drops of SMTP begin its silence anew each time; those clients are only asked not to be in the way.
        const cut = clients.filter(({ manner }) => service !== 'smtp' || manner === 'silent');
        for (const client of cut) assert.match(await client.over(), goodbye);
        assert.ok(Date.now() - startedAt < (limitSeconds + 4) * 1000);
        for (const client of clients) client.close();
        await withWitness(place, async () => Promise.resolve());
      });
    }
  });
}

class HalfOpen {
  readonly manner: 'silent' | 'dripping';
  readonly #socket: net.Socket;
  readonly #heard: Buffer[] = [];
  readonly #over: Promise<void>;

  constructor(port: number, manner: 'silent' | 'dripping') {
    this.manner = manner;
    this.#socket = net.connect(port, '127.0.0.1');
    const drip = setInterval(() => {
      if (manner === 'dripping' && this.#socket.writable) this.#socket.write('x');
    }, 1000);
    this.#socket.on('data', (chunk: Buffer) => this.#heard.push(chunk));
    this.#socket.on('error', () => undefined);
    this.#over = new Promise((resolve) => {
      this.#socket.on('close', () => {
        clearInterval(drip);
        resolve();
      });
    });
  }

  /** Everything the server said until it closed. */
  async over(): Promise<string> {
    await this.#over;
    return Buffer.concat(this.#heard).toString();
  }

  close(): void {
    this.#socket.destroy();
  }
}
