/** Orders certificates and renews them: one renewer in the cluster, the back-end that tls.acme names, in its first process. */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { callNode } from '../../shared/admin/admin-call.ts';
import { orderCertificate } from '../../shared/acme/acme-order.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { NodeConfig } from '../effective.ts';
import { loadNodeTls } from '../node-tls.ts';
import { AcmeFolder } from './acme-folder.ts';
import { managedPairs } from './managed-pairs.ts';

/** Renewed when no more than this part of the life is left. */
const partLeft = 1 / 3;
/** After a failure; twice as long after each further one. Servers count what they refused within an hour, but not while they don't answer. */
const firstPausesMs = { refused: 60_000, silent: 5000 } as const;
const longestPauseMs = 86_400_000;
const silenceMs = 5000;

interface Trouble {
  readonly pauseMs: number;
  readonly nextTryMs: number;
}

/** How long after one more failure nothing is tried, milliseconds; chance moves it by a tenth. */
export function nextPauseMs(before: number | undefined, failure: keyof typeof firstPausesMs): number {
  return Math.min(longestPauseMs, Math.max(firstPausesMs[failure], (before ?? 0) * 2));
}

export class Renewer {
  readonly #log: Logger;
  readonly #troubles = new Map<string, Trouble>();
  /** Folders in which nothing of an earlier process lies any more. */
  readonly #tidied = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Orders what is due, one after the other; failures are logged, and tried again later. */
  async look(config: NodeConfig): Promise<void> {
    for (const { names } of managedPairs(config)) {
      const [key, nowMs] = [names.join(' '), Date.now()];
      const trouble = this.#troubles.get(key);
      if (trouble !== undefined && trouble.nextTryMs > nowMs) continue;
      try {
        if (await this.#renewIfDue(config, names)) await this.#tellNodes(config);
        this.#troubles.delete(key);
      } catch (error) {
        const pauseMs = nextPauseMs(trouble?.pauseMs, isFailure(error, 'backend-unavailable') ? 'silent' : 'refused');
        this.#troubles.set(key, { pauseMs, nextTryMs: nowMs + pauseMs * (0.9 + Math.random() / 5) });
        this.#log.error({ err: error, names, againInSeconds: Math.round(pauseMs / 1000) }, 'a certificate could not be had by ACME; the one in use stays');
      }
    }
  }

  async #renewIfDue({ tls: { acme } }: NodeConfig, names: readonly string[]): Promise<boolean> {
    if (acme === undefined) return false;
    const folder = new AcmeFolder(acme.folder);
    if (!this.#tidied.has(acme.folder)) await folder.forgetChallenges();
    this.#tidied.add(acme.folder);
    const present = await folder.issued(names);
    if (present !== undefined && !isDue(new X509Certificate(present.certificate), Date.now())) return false;
    await mkdir(acme.folder, { recursive: true, mode: 0o700 });
    const begun = await folder.order(names);
    this.#log.info({ names, server: acme.directoryUrl }, begun === undefined ? 'orders a certificate by ACME' : 'goes on with an order of a certificate by ACME');
    const pair = await orderCertificate({
      begun,
      onBegun: async (order) => folder.beginOrder(names, order),
      directoryUrl: acme.directoryUrl, contacts: acme.contacts, names,
      ca: acme.ca === undefined ? undefined : await readFile(acme.ca, 'utf8'),
      accountKey: await folder.accountKey(acme.directoryUrl),
      publish: async (token, text) => folder.publish(token, text),
    }).catch(async (error: unknown) => {
      if (!isFailure(error, 'backend-unavailable') && !isFailure(error, 'timed-out')) await folder.endOrder(names); // the next try is a new order
      throw error;
    });
    const certificate = new X509Certificate(pair.certificate);
    await folder.keep(names, pair);
    this.#log.info({ names, until: certificate.validToDate.toISOString() }, 'has a new certificate by ACME');
    return true;
  }

  /** They would look by themselves within a minute. */
  async #tellNodes(config: NodeConfig): Promise<void> {
    const { toNode } = await loadNodeTls(config);
    await Promise.all(Object.values(config.nodes).map(async ({ name, host, endpoints: { admin: port } }) => {
      if (port === undefined) return;
      await callNode({ host, port, tls: toNode(name) }, { path: '/configuration/look', body: {}, silenceMs }).catch(() => undefined);
    }));
  }
}

/** Whether a third of its life, or less, is left. */
export function isDue({ validFromDate, validToDate }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>, nowMs: number): boolean {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return nowMs >= to - (to - from) * partLeft;
}
