/**
 * A back-end as far as mail is concerned: real storage, queue, runner and listeners on free ports; only the user map is
 * made up: `owners` says which node keeps which address. Used in the tests' process, and in processes that are killed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askingOthers, createProcessing, defaultRetryOptions, laterRoute } from '../../../backend/processing/processing.ts';
import type { Processing, RetryOptions } from '../../../backend/processing/processing.ts';
import { startSmtpReceiving } from '../../../backend/smtp-receiving/smtp-receiving.ts';
import { createSmtpSending } from '../../../backend/smtp-sending/smtp-sending.ts';
import type { SendingRoute } from '../../../backend/smtp-sending/smtp-sending.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { startAdmin } from '../../../shared/admin/admin-server.ts';
import type { AdminTarget } from '../../../shared/admin/admin-client.ts';
import { createDnr, defaultDnrOptions } from '../../../shared/dnr/dnr.ts';
import { createLog } from '../../../shared/log/log.ts';
import type { ConnectOptions } from '../../../shared/net/connect.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import type { Language } from '../../../shared/language/language.ts';
import type { Service } from '../../../shared/service/service.ts';
import { defaultSmtpLimits } from '../../../shared/smtp/limits.ts';
import type { TestCertificate } from '../../harness/certificates.ts';
import { freePort } from '../../harness/free-port.ts';
import { noActs } from '../../harness/no-acts.ts';
import { loneWorker } from '../../harness/lone-worker.ts';

export interface NodeSettings {
  readonly name: string;
  readonly directory: string;
  /** Addresses that stand for others. */
  readonly expansions?: Readonly<Record<string, readonly string[]>>;
  /** Address → node, or host:port of a server of another kind; addresses of example.com that are not here are unknown. */
  readonly owners: Readonly<Record<string, string>>;
  /** Where the ports of all nodes are told, LMTP's and (NAME admin) the admin API's: a JSON file, read at each connection. */
  readonly portsFile: string;
  readonly certificate: TestCertificate;
  readonly retry?: Partial<RetryOptions>;
  readonly routes?: readonly SendingRoute[];
  readonly quota?: { readonly bytes: number; readonly messages: number };
  readonly runner?: 'yes' | 'no';
  /** Below this free space the queue takes nothing new. */
  readonly queueReserveBytes?: number;
  /** Address → what its user reads; English when absent. */
  readonly languages?: Readonly<Record<string, Language>>;
}

export interface TestNode {
  readonly name: string;
  readonly storage: Storage;
  readonly processing: Processing;
  readonly ports: { readonly lmtp: number; readonly admin: number; readonly mx: number; readonly submission: number };
  stop(): Promise<void>;
}

export const password = 'secret word';

/** Schedules of a production node in hundredths of a second. */
export const quickRetry: RetryOptions = {
  ...defaultRetryOptions,
  refused: { firstDelayMs: 100, maxDelayMs: 400 }, outage: { firstDelayMs: 100, maxDelayMs: 200 }, jitter: 0,
};

export async function startTestNode(settings: NodeSettings): Promise<TestNode> {
  const { name, directory } = settings;
  const log = createLog({ node: name, level: process.env['TEST_LOG'] === undefined ? 'silent' : 'protocol' });
  const hints = { publish: () => undefined, subscribe: () => () => undefined };
  const storage = await openStorage({
    directories: [join(directory, 'mail')], clusterName: 'test', nodeName: name, hints, log, workerSlot: 0, reserveBytes: 0, quota: settings.quota,
  });
  const accounts = accountsOf(settings, storage);
  const hostName = `${name}.example.com`;
  const isOurDomain = (domain: string): boolean => domain === 'example.com';
  const dnr = createDnr(defaultDnrOptions);
  const sending = createSmtpSending({ hostName, dnr, routes: settings.routes ?? [], port: 25, connectTimeoutMs: 2000, timeouts: { finalMs: 5000 }, log });
  const processing = createProcessing({
    languagesFor: async (sender) => Promise.resolve([settings.languages?.[sender] ?? 'en']),
    storage, accounts, queueDirectory: join(directory, 'queue'), reserveBytes: settings.queueReserveBytes ?? 0, clusterName: 'test', nodeName: name, hostName, primaryDomain: 'example.com', isOurDomain,
    lmtpOf: (node) => lmtpOf(settings, node), sending, retry: { ...quickRetry, ...settings.retry }, maxLanes: 8, log, siblings: loneWorker(),
    askOthers: async (loose) => askingOthers(othersOf(settings))(loose),
  });
  const runner: Service | undefined = settings.runner === 'no' ? undefined : processing.startRunner();
  const receiving = await startSmtpReceiving({
    listeners: [{ kind: 'lmtp', host: '127.0.0.1', port: 0 }, { kind: 'mx', host: '127.0.0.1', port: 0 }, { kind: 'submission', host: '127.0.0.1', port: 0 }],
    serverTls: createServerTls(settings.certificate), hostName, primaryDomain: 'example.com', accounts, processing, isOurDomain,
    isTrustedNode: ({ cluster, node }) => cluster === 'test' && node !== 'be9',
    limits: defaultSmtpLimits, maxHeaderBytes: 300 * 1024, maxReceivedHeaders: 30, greetingDelayMs: 0, log,
  });
  const admin = await freePort();
  const isTrustedNode = ({ node }: { readonly node: string }): boolean => node !== 'be9';
  const answering = await startAdmin({ host: '127.0.0.1', port: admin, serverTls: createServerTls(settings.certificate), isTrustedNode, routes: [laterRoute(processing)], acts: noActs, signerOf: () => 'cluster', log });
  const [lmtp = 0, mx = 0, submission = 0] = receiving.ports;
  const stop = async (): Promise<void> => {
    await receiving.stop(500);
    await answering.stop(0);
    await runner?.stop(2000);
    await processing.close();
    await storage.close();
  };
  return { name, storage, processing, ports: { lmtp, admin, mx, submission }, stop };
}

function accountsOf({ name, owners, expansions = {} }: NodeSettings, storage: Storage): Parameters<typeof startSmtpReceiving>[0]['accounts'] {
  const ownerOf = (address: string): string => {
    const owner = owners[address.toLowerCase()];
    if (address.startsWith('outage')) throw new Failure('directory-unavailable', 'the directory does not answer');
    if (owner === undefined) throw new Failure('unknown-user', 'no such user');
    return owner;
  };
  const open = async (address: string): Promise<Account> => {
    const owner = ownerOf(address);
    if (owner !== name) throw new Failure('not-kept-here', 'the mailbox is on another node', { node: owner.includes(':') ? undefined : owner });
    return storage.createAccount(address.toLowerCase());
  };
  return {
    open,
    lookUp: async (address) => Promise.resolve({
      address: address.toLowerCase(), mailHost: owners[address.toLowerCase()], dn: undefined, map: 'test', aliases: [`alias-of-${address}`], routingAddress: undefined,
    }),
    permit: async () => Promise.resolve(),
    expand: async (address) => {
      await Promise.resolve();
      const addresses = expansions[address.toLowerCase()];
      if (addresses !== undefined) return { kind: 'addresses', addresses };
      ownerOf(address);
      return { kind: 'mailbox' };
    },
    login: async ({ name: user, password: given }) => {
      if (given !== password) throw new Failure('bad-credentials', 'wrong user name or password');
      return open(user);
    },
  };
}

function lmtpOf(settings: NodeSettings, node: string): ConnectOptions | undefined {
  const port = portsOf(settings)[node];
  return port === undefined ? undefined : { ...reachedBy(settings, port), timeoutMs: 2000 };
}

function othersOf(settings: NodeSettings): Readonly<Record<string, AdminTarget>> {
  const others = Object.entries(portsOf(settings)).filter(([name]) => name.endsWith(' admin') && name !== `${settings.name} admin`);
  return Object.fromEntries(others.map(([name, port]) => [name.replace(' admin', ''), reachedBy(settings, port)]));
}

function portsOf({ portsFile }: NodeSettings): Readonly<Record<string, number>> {
  return JSON.parse(readFileSync(portsFile, 'utf8')) as Readonly<Record<string, number>>;
}

function reachedBy({ certificate: { certificate: cert, key, authority: ca } }: NodeSettings, port: number): AdminTarget {
  return { host: '127.0.0.1', port, tls: { cert, key, ca, servername: 'localhost' } };
}
