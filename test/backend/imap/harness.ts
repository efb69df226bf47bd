/** What the IMAP tests share: a real server over a real storage in a temporary folder, on free ports of 127.0.0.1. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { startImap } from '../../../backend/imap/imap.ts';
import type { ImapLimits } from '../../../backend/imap/imap.ts';
import type { LineService } from '../../../backend/line-service/line-service.ts';
import { Sharing } from '../../../backend/sharing/sharing.ts';
import type { OtherNodes } from '../../../backend/sharing/sharing.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Mailbox, Storage } from '../../../backend/storage/storage.ts';
import { TextAnswers } from '../../../backend/text-index/text-index.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { CommandSlots } from '../../../shared/workers/command-slots.ts';
import { createLog } from '../../../shared/log/log.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import type { ChangeHint, HintBus } from '../../../shared/service/service.ts';
import type { UserEntry } from '../../../shared/user-map/user-maps.ts';
import { makeCertificates } from '../../harness/certificates.ts';

export const password = 'secret word';

export const certificates = await makeCertificates({ be1: 'backend', fe1: 'frontend', fe9: 'frontend', be2: 'backend', be3: 'backend' });

/** Hints within this process; `silence` loses them, as a supervisor that just died would. */
export class TestHints implements HintBus {
  silence: 'no' | 'yes' = 'no';
  readonly #listeners = new Set<(hint: ChangeHint) => void>();

  publish(hint: ChangeHint): void {
    if (this.silence === 'yes') return;
    for (const listener of this.#listeners) listener(hint);
  }

  subscribe(listener: (hint: ChangeHint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface TestServer {
  readonly service: LineService;
  readonly directory: string;
  readonly storage: Storage;
  readonly sharing: Sharing;
  readonly hints: TestHints;
  /** STARTTLS, implicit TLS, trusted. */
  readonly ports: { readonly startTls: number; readonly tls: number; readonly trusted: number };
  stop(): Promise<void>;
}

const usualLimits: ImapLimits = {
  maxErrors: 10,
  maxAuthErrors: 3,
  loginFailureDelayMs: 10,
  loginTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  maxMessageBytes: 60 * 1024 * 1024,
  maxHeaderBytes: 1024 * 1024,
};

export interface TestServerOptions {
  readonly limits?: Partial<ImapLimits>;
  readonly quotaBytes?: number;
  /** Free space that must be left on the disk. */
  readonly reserveBytes?: number;
  /** Members of groups; a promise of them: the directory takes its time. */
  readonly groups?: Readonly<Record<string, readonly string[] | Promise<readonly string[]>>>;
  /** Who keeps the public folders of a domain. */
  readonly publicOwners?: Readonly<Record<string, string>>;
  /** `be1` when absent. */
  readonly node?: 'be1' | 'be2' | 'be3';
  /** What it knows of the other back-end of the cluster, and its ways there; none when absent. */
  readonly others?: { readonly lookUp: (address: string) => UserEntry | undefined; readonly nodes?: OtherNodes };
  /** Of names of shared folders that a node tells; as usual when absent. */
  readonly mostNameBytes?: number;
  /** Searches use a text index, where there is one. */
  readonly textIndex?: 'searched' | undefined;
  /** The storage of another server, which keeps it. */
  readonly directory?: string;
}

/** Starts the server. Every address logs in with `password`; accounts are made on first use, except those of the user `elsewhere`. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = options.directory ?? fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-imap-'));
  const { node = 'be1', others } = options;
  const log = createLog({ node, level: 'silent' });
  const hints = new TestHints();
  const storage = await openStorage({
    directories: [directory], clusterName: 'test', nodeName: node, hints, log, workerSlot: 0, reserveBytes: options.reserveBytes ?? 0,
    quota: { bytes: options.quotaBytes ?? 0, messages: 0 },
  });
  const open = async (address: string): Promise<Account> => {
    if (address.startsWith('elsewhere')) throw new Failure('not-kept-here', 'the mailbox is on another node', { node: 'be2' });
    if (address.startsWith('outage')) throw new Failure('directory-unavailable', 'the directory does not answer');
    return storage.createAccount(address);
  };
  const login = async ({ name, password: given }: { readonly name: string; readonly password: string }): Promise<Account> => {
    if (given !== password) throw new Failure('bad-credentials', 'wrong user name or password');
    return open(name);
  };
  const sharing = new Sharing({
    storage, nodeName: node, namespaces: { otherUsers: 'Other Users', publicFolders: 'Public Folders' },
    accounts: {
      lookUp: async (address) => (address.startsWith('outage') ? Promise.reject(new Failure('directory-unavailable', 'the directory does not answer')) : others?.lookUp(address)),
      expand: async (address) => {
        const addresses = await options.groups?.[address];
        if (addresses === undefined) throw new Failure('unknown-user', 'no such user');
        return { kind: 'addresses', addresses };
      },
      nodeOf: (host) => host,
    },
    mostNameBytes: options.mostNameBytes,
    publicOwnerOf: (address) => options.publicOwners?.[address.split('@')[1] ?? ''],
    others: others?.nodes ?? { sharedWith: async () => ({ folders: [], silent: [] }), connect: async () => Promise.reject(new Failure('backend-unavailable', 'no other node')) },
  });
  const certificate = certificates[node];
  if (certificate === undefined) throw new Error('no certificate');
  const { be1 } = certificates;
  if (be1 === undefined) throw new Error('no certificate');
  const texts = options.textIndex === undefined ? undefined : new TextAnswers({ indexed: options.textIndex, log, hints });
  const service = await startImap({
    listeners: [
      { host: '127.0.0.1', port: 0, tls: 'starttls', trusted: 'no' },
      { host: '127.0.0.1', port: 0, tls: 'implicit', trusted: 'no' },
      { host: '127.0.0.1', port: 0, tls: 'implicit', trusted: 'yes' },
    ],
    serverTls: createServerTls(certificate),
    accounts: { login, open, keepUp: () => undefined },
    storage, sharing, hints, log, texts,
    slots: new CommandSlots('imap', 1), // one for all, and nobody notices
    limits: { ...usualLimits, ...options.limits },
    isTrustedNode: ({ node: peer, role }) => peer === 'fe1' || (others !== undefined && role === 'backend'),
    serverAnnotations: { admin: 'mailto:postmaster@example.com' },
  });
  const [startTls = 0, tls = 0, trusted = 0] = service.ports;
  return {
    service, directory, storage, sharing, hints, ports: { startTls, tls, trusted },
    stop: async () => {
      await service.stop(2000);
      texts?.close();
      await storage.close();
      if (options.directory === undefined) fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A mailbox of an account, which must be there. */
export function mailboxOf(account: Account, name: string): Mailbox {
  const mailbox = account.mailbox(name);
  if (mailbox === undefined) throw new Error(`no mailbox ${name}`);
  return mailbox;
}

/** Appends bytes as a delivery does, past the IMAP server. */
export async function deliver(
  target: { readonly storage: Storage; readonly address: string; readonly mailbox: string },
  bytes: Buffer,
  marks: { readonly flags: number; readonly keywords: readonly string[]; readonly internalDateMs?: number } = { flags: 0, keywords: [] },
): Promise<void> {
  const account = await target.storage.createAccount(target.address);
  const staged = await account.stage(inOnePiece(bytes), 100 * 1024 * 1024);
  try {
    await mailboxOf(account, target.mailbox).append([{ staged, marks }]);
  } finally {
    await staged.discard();
  }
}

async function* inOnePiece(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}
