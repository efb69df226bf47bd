/** Two back-ends with real storages and WebMail, and two front-ends before them, in one process: real TLS, mapping and authentication over a directory in memory. */
import type { Language } from '../../shared/language/language.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAccounts } from '../../backend/accounts/accounts.ts';
import { openStorage } from '../../backend/storage/storage.ts';
import type { Storage } from '../../backend/storage/storage.ts';
import { startWebmail } from '../../backend/webmail/webmail.ts';
import type { WebmailOptions } from '../../backend/webmail/webmail.ts';
import { createAuthentication } from '../../frontend/authentication/authentication.ts';
import { SessionSet } from '../../frontend/login/session-set.ts';
import { createMapping } from '../../frontend/mapping/mapping.ts';
import { startWebmailProxy } from '../../frontend/webmail-proxy/webmail-proxy.ts';
import type { BackendTarget, WebmailProxyOptions } from '../../frontend/webmail-proxy/webmail-proxy.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { HttpService } from '../../shared/http/http-service.ts';
import { createLog } from '../../shared/log/log.ts';
import { createServerTls } from '../../shared/net/server-tls.ts';
import type { ChangeHint, HintBus } from '../../shared/service/service.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import { makeCertificates } from './certificates.ts';
import type { TestCertificate } from './certificates.ts';
import { patientGuesses } from './guesses.ts';

export const password = 'correct horse';
const domain = 'example.com';
const maxMessageBytes = 40 * 2 ** 20;

const certificates = await makeCertificates({ fe1: 'frontend', fe2: 'frontend', stranger: 'frontend', be1: 'backend', be2: 'backend' });
export const cookieSecret = Buffer.alloc(32, 7);
const uiDirectory = join(import.meta.dirname, '../../dist/webmail');
const log = createLog({ node: 'test', level: 'silent' });
const httpLimits = { maxHeaderBytes: 16_384, requestTimeoutMs: 30_000, idleTimeoutMs: 30_000 };

export function certificateOf(node: string): TestCertificate {
  const found = certificates[node];
  if (found === undefined) throw new Error(`no certificate for ${node}`);
  return found;
}

class LocalHints implements HintBus {
  readonly #listeners = new Set<(hint: ChangeHint) => void>();

  publish(hint: ChangeHint): void {
    for (const listener of this.#listeners) listener(hint);
  }

  subscribe(listener: (hint: ChangeHint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface Backend {
  readonly node: string;
  readonly storage: Storage;
  readonly url: string;
  readonly port: number;
  /** Stops the service; `restart` opens it again on the same port. */
  stop(): Promise<void>;
  restart(): Promise<void>;
}

export interface WebmailCluster {
  readonly backends: Readonly<Record<'be1' | 'be2', Backend>>;
  /** Addresses of the front-ends, `https://127.0.0.1:port`. */
  readonly urls: readonly [string, string];
  /** Address → node: the directory. */
  readonly directory: Map<string, string>;
  /** Puts a message into a user's INBOX at the node the directory names. */
  deliver(address: string, bytes: Buffer): Promise<void>;
  /** Stops the front-ends, sessions having so much time. */
  stopFrontends(graceMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** alice and carol live on be1, bob and dave on be2. */
export async function startWebmailCluster(given: { readonly webmail?: Partial<WebmailOptions>; readonly proxy?: Partial<WebmailProxyOptions>; /** Address → what the directory says its user reads. */ readonly languages?: Readonly<Record<string, Language>> } = {}): Promise<WebmailCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-webmail-'));
  const directory = new Map([['alice', 'be1'], ['bob', 'be2'], ['carol', 'be1'], ['dave', 'be2']].map(([name, node]) => [`${name ?? ''}@${domain}`, node ?? '']));
  const maps = mapsOf(directory, given.languages ?? {});
  const storages = new Map<string, Storage>();
  const deliver = async (address: string, bytes: Buffer): Promise<void> => deliverTo(storages, directory, { address, bytes });
  const be1 = await startBackend('be1', { folder, maps, storages, deliver, given: given.webmail ?? {} });
  const be2 = await startBackend('be2', { folder, maps, storages, deliver, given: given.webmail ?? {} });
  const backends = { be1, be2 };
  const frontends = [await startFrontend('fe1', { maps, backends, given: given.proxy ?? {} }), await startFrontend('fe2', { maps, backends, given: given.proxy ?? {} })] as const;
  return {
    backends, directory, deliver,
    urls: [urlOf(frontends[0]), urlOf(frontends[1])],
    stopFrontends: async (graceMs) => {
      await Promise.all(frontends.map(async (each) => each.stop(graceMs)));
    },
    stop: async () => {
      await Promise.all(frontends.map(async (each) => each.stop(100)));
      await Promise.all([be1.stop(), be2.stop()]);
      await Promise.all([...storages.values()].map(async (storage) => storage.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function mapsOf(directory: ReadonlyMap<string, string>, languages: Readonly<Record<string, Language>>): UserMaps {
  return {
    lookUp: async (address) => {
      const node = directory.get(address.toLowerCase());
      const entry = { address: address.toLowerCase(), mailHost: node, dn: undefined, map: 'test', aliases: [], routingAddress: undefined, language: languages[address.toLowerCase()] };
      return Promise.resolve(node === undefined ? undefined : entry);
    },
    covers: () => true,
    spellings: (address) => [address.toLowerCase()],
    authenticate: async (_, given) => Promise.resolve(given === password ? 'ok' : 'refused'),
    mayLogIn: () => true,
    pretend: async () => Promise.resolve(),
    scramSecret: async () => Promise.resolve(undefined),
    changePassword: async () => Promise.reject(new Error('not asked for here')),
    expand: async () => Promise.resolve({ kind: 'mailbox' }),
  };
}

interface BackendGiven {
  readonly folder: string;
  readonly maps: UserMaps;
  readonly storages: Map<string, Storage>;
  readonly deliver: (address: string, bytes: Buffer) => Promise<void>;
  readonly given: Partial<WebmailOptions>;
}

async function startBackend(node: string, { folder, maps, storages, deliver, given }: BackendGiven): Promise<Backend> {
  const hints = new LocalHints();
  const storage = await openStorage({ directories: [join(folder, node)], clusterName: 'test', nodeName: node, hints, log, workerSlot: 0, reserveBytes: 0 });
  storages.set(node, storage);
  const accounts = createAccounts({ storage, maps, nodeName: node, primaryDomain: domain, nodeOf: (host) => host, holders: async () => Promise.resolve({ holders: [], silent: [] }), known: { staleMs: 0, maxEntries: 10 }, log });
  const start = async (port: number): Promise<HttpService> => startWebmail({
    listeners: [{ host: '127.0.0.1', port, tls: 'implicit', trusted: 'yes' }],
    serverTls: createServerTls(certificateOf(node)), accounts, hints, log, cookieSecret, uiDirectory,
    limits: { ...httpLimits, maxBodyBytes: 60 * 2 ** 20, maxUploadBytes: 25_000_000, maxMessageBytes, maxRecipients: 100, loginFailureDelayMs: 50 },
    ages: { idleMs: 1_200_000, absoluteMs: 86_400_000 }, language: { fallback: 'en', autodetect: 'yes' },
    isTrustedNode: (identity) => ['fe1', 'fe2'].includes(identity.node),
    submit: async ({ recipients }, source) => {
      const pieces: Buffer[] = [];
      for await (const piece of source) pieces.push(piece);
      for (const recipient of recipients) await deliver(recipient, Buffer.concat(pieces));
      return 'item';
    },
    ...given,
  });
  let service = await start(0);
  const port = service.ports[0] ?? 0;
  return {
    node, storage, port, url: urlOf(service),
    stop: async () => service.stop(100),
    restart: async () => {
      service = await start(port);
    },
  };
}

async function deliverTo(storages: ReadonlyMap<string, Storage>, directory: ReadonlyMap<string, string>, { address, bytes }: { readonly address: string; readonly bytes: Buffer }): Promise<void> {
  const storage = storages.get(directory.get(address.toLowerCase()) ?? '');
  if (storage === undefined) throw new Failure('unknown-user', `There is no user ${address}.`);
  const account = await storage.createAccount(address.toLowerCase());
  const staged = await account.stage((async function* () { yield bytes; })(), maxMessageBytes);
  try {
    await account.mailbox('INBOX')?.append([{ staged, marks: { flags: 0, keywords: [] } }]);
  } finally {
    await staged.discard();
  }
}

async function startFrontend(node: string, { maps, backends, given }: { readonly maps: UserMaps; readonly backends: Readonly<Record<string, Backend>>; readonly given: Partial<WebmailProxyOptions> }): Promise<HttpService> {
  const own = certificateOf(node);
  const mapping = createMapping({
    maps, primaryDomain: domain, localDomains: [], resolveHost: (host) => ({ kind: 'node', node: host }), onMiss: 'refuse',
    ages: { positiveMs: 60_000, negativeMs: 1000, staleMs: 60_000 }, maxEntries: 100, log,
  });
  const authentication = createAuthentication({
    mapping, maps, scram: { saltKey: Buffer.from('salts of tests'), iterations: 4096, primaryDomain: 'example.com' }, issuers: [], certificateAddresses: [], verifier: { maxAgeMs: 0, maxEntries: 10 }, refusalMs: 50, trustedNetworks: ['127.0.0.0/8'], log,
    guesses: patientGuesses(), ipv6Prefix: 64,
  });
  const tls = { cert: own.certificate, key: own.key, ca: own.authority, servername: 'localhost' };
  const targets = new Map<string, BackendTarget>(Object.values(backends).map(({ node: name, port }) => [name, { node: name, host: '127.0.0.1', port, tls }]));
  return startWebmailProxy({
    listeners: [{ host: '127.0.0.1', port: 0, tls: 'implicit' }],
    serverTls: createServerTls(own), mapping, authentication, passwordsAt: 'proxy', clearTextLogin: 'no', cookieSecret, sessions: new SessionSet(), uiDirectory, challenges: undefined, log,
    backendFor: (name) => targets.get(name),
    primaryDomainOf: () => undefined,
    httpBalancers: [],
    ages: { idleMs: 1_200_000, absoluteMs: 86_400_000 }, language: { fallback: 'en', autodetect: 'yes' },
    limits: { ...httpLimits, connectTimeoutMs: 5000, answerTimeoutMs: 60_000, maxBodyBytes: 60 * 2 ** 20, queue: { connections: 32, connectionsPerUser: 32, maxWaiting: 100, longestWaitMs: 5000 } },
    ...given,
  });
}

function urlOf(service: HttpService): string {
  return `https://127.0.0.1:${String(service.ports[0])}`;
}
