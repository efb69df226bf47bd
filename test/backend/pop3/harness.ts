/** What the POP3 tests share: a real server over a real storage in a temporary folder, on free ports of 127.0.0.1. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { startPop3 } from '../../../backend/pop3/pop3.ts';
import type { Pop3Limits, Pop3Options } from '../../../backend/pop3/pop3.ts';
import type { LineService } from '../../../backend/line-service/line-service.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Mailbox, Storage } from '../../../backend/storage/storage.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { createLog } from '../../../shared/log/log.ts';
import { CommandSlots } from '../../../shared/workers/command-slots.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import type { TestCertificate } from '../../harness/certificates.ts';
import { RecordingHints } from '../storage/harness.ts';

export const password = 'secret word';

const certificates = await makeCertificates({ be1: 'backend', fe1: 'frontend', fe9: 'frontend', be2: 'backend' });

/** The certificate of a node; fe1 is the only front-end that the configuration lists. */
export function certificateOf(node: 'be1' | 'fe1' | 'fe9' | 'be2'): TestCertificate {
  const certificate = certificates[node];
  if (certificate === undefined) throw new Error(`no certificate for ${node}`);
  return certificate;
}

export interface TestServer {
  readonly service: LineService;
  readonly storage: Storage;
  readonly directory: string;
  /** STLS, implicit TLS, trusted. */
  readonly ports: { readonly plain: number; readonly tls: number; readonly trusted: number };
  stop(): Promise<void>;
}

const usualLimits: Pop3Limits = {
  maxErrors: 5, maxAuthErrors: 3, loginFailureDelayMs: 10, loginTimeoutMs: 20_000, idleTimeoutMs: 20_000,
};

export interface TestServerOptions extends Partial<Pick<Pop3Options, 'policy' | 'maildrops' | 'now' | 'preferredLanguage'>> {
  readonly limits?: Partial<Pop3Limits>;
  /** A storage of somebody else's; one of its own when absent. */
  readonly storage?: Storage;
}

/** Starts the server. Every address logs in with `password`; accounts are made on first use, except those of `elsewhere` and `outage`. */
export async function startServer({ limits, storage: given, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-pop3-'));
  const log = createLog({ node: 'be1', level: 'silent' });
  const hints = new RecordingHints();
  const storage = given ?? await openStorage({ directories: [directory], clusterName: 'test', nodeName: 'be1', hints, log, workerSlot: 0, reserveBytes: 0 });
  const open = async (address: string): Promise<Account> => {
    if (address.startsWith('elsewhere')) throw new Failure('not-kept-here', 'the mailbox is on another node', { node: 'be2' });
    if (address.startsWith('outage')) throw new Failure('directory-unavailable', 'the directory does not answer');
    if (address.startsWith('broken')) throw new Error('a fault of ours');
    return storage.createAccount(address);
  };
  const login = async ({ name, password: given }: { readonly name: string; readonly password: string }): Promise<Account> => {
    if (given !== password) throw new Failure('bad-credentials', 'wrong user name or password');
    return open(name);
  };
  const service = await startPop3({
    listeners: [
      { host: '127.0.0.1', port: 0, tls: 'starttls', trusted: 'no' },
      { host: '127.0.0.1', port: 0, tls: 'implicit', trusted: 'no' },
      { host: '127.0.0.1', port: 0, tls: 'implicit', trusted: 'yes' },
    ],
    serverTls: createServerTls(certificateOf('be1')),
    accounts: { login, open },
    hints, log,
    slots: new CommandSlots('pop3', 1), // one for all, and nobody notices
    limits: { ...usualLimits, ...limits },
    policy: { retrieved: 'seen', expireDays: undefined },
    ...options,
    isTrustedNode: ({ node }) => node === 'fe1',
  });
  const [plain = 0, tls = 0, trusted = 0] = service.ports;
  return {
    service, storage, directory, ports: { plain, tls, trusted },
    stop: async () => {
      await service.stop(2000);
      if (given === undefined) await storage.close();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The account's INBOX; the account is made if need be. */
export async function inboxOf(server: TestServer, address: string): Promise<Mailbox> {
  const mailbox = (await server.storage.createAccount(address)).mailbox('INBOX');
  if (mailbox === undefined) throw new Error('no INBOX');
  return mailbox;
}

/** Puts messages into INBOX, as a delivery does. */
export async function deliver(server: TestServer, address: string, ...messages: readonly Buffer[]): Promise<void> {
  const mailbox = await inboxOf(server, address);
  const account = await server.storage.createAccount(address);
  for (const bytes of messages) {
    const staged = await account.stage(inPieces(bytes), 200 * 1024 * 1024);
    try {
      await mailbox.append([{ staged, marks: { flags: 0, keywords: [] } }]);
    } finally {
      await staged.discard();
    }
  }
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += 65_536) yield await Promise.resolve(bytes.subarray(at, at + 65_536));
}
