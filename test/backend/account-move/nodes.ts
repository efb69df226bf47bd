/** Back-ends as far as moves are concerned: real storages, the real admin API between them, and a directory that is a map in memory. */
import type { TestContext } from 'node:test';
import { createAccountMoves } from '../../../backend/account-move/account-move.ts';
import type { AccountMoves } from '../../../backend/account-move/account-move.ts';
import type { AccountMovesOptions } from '../../../backend/account-move/move-job.ts';
import type { Account, Storage, StorageOptions } from '../../../backend/storage/storage.ts';
import { followMove } from '../../../cluster-config/command-line/follow-move.ts';
import type { FollowedEvent, MoveRequest } from '../../../cluster-config/command-line/follow-move.ts';
import type { AdminTarget } from '../../../shared/admin/admin-client.ts';
import { startAdmin } from '../../../shared/admin/admin-server.ts';
import { createLog } from '../../../shared/log/log.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import type { Service } from '../../../shared/service/service.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import { freePort } from '../../harness/free-port.ts';
import { noActs } from '../../harness/no-acts.ts';
import { mailboxOf, temporaryStorage } from '../storage/harness.ts';

export const nodeNames = ['be1', 'be2', 'be3'] as const;
export type NodeName = (typeof nodeNames)[number];

const certificates = await makeCertificates({ be1: 'backend', be2: 'backend', be3: 'backend' });

export interface TestNodes {
  readonly storages: Readonly<Record<NodeName, Storage>>;
  readonly moves: Readonly<Record<NodeName, AccountMoves>>;
  /** mailHost by address. */
  readonly directory: Map<string, string>;
  /** Follows a move to its end; the texts of its steps. @throws Failure */
  move(address: string, node: NodeName, options?: Partial<Omit<MoveRequest, 'address' | 'target'>> & { readonly onEvent?: (event: FollowedEvent) => void }): Promise<string[]>;
  /** The node's machine is gone: nobody reaches it. */
  die(node: NodeName): Promise<void>;
  /** It is back, with what is on its disk; as far as a node goes before it serves anybody. */
  comeBack(node: NodeName): Promise<void>;
  /** Nodes with a live record. */
  owners(address: string): string[];
}

export interface NodesOptions {
  readonly storage?: Partial<Record<NodeName, Partial<StorageOptions>>>;
  readonly moves?: Partial<Pick<AccountMovesOptions, 'holdMs' | 'keepLeftMs'>>;
}

export async function startNodes(t: TestContext, options: NodesOptions = {}): Promise<TestNodes> {
  const directory = new Map<string, string>();
  const ports = { be1: await freePort(), be2: await freePort(), be3: await freePort() };
  const target = (from: NodeName, to: NodeName): AdminTarget => {
    const own = certificates[from];
    return { host: '127.0.0.1', port: ports[to], tls: { key: own?.key, cert: own?.certificate, ca: own?.authority, servername: 'localhost' } };
  };
  const start = async (node: NodeName): Promise<{ storage: Storage; moves: AccountMoves; die: () => Promise<void>; comeBack: () => Promise<void> }> => {
    const storage = await temporaryStorage(t, { nodeName: node, ...options.storage?.[node] });
    const log = createLog({ node, level: 'silent' });
    const moves = createAccountMoves({
      storage, log, nodeName: node, holdMs: 2000, keepLeftMs: 86_400_000, ...options.moves,
      others: Object.fromEntries(nodeNames.filter((name) => name !== node).map((name) => [name, target(node, name)])),
      lookUp: async (address) => {
        const mailHost = directory.get(address);
        return Promise.resolve(mailHost === undefined ? undefined : { address, mailHost, dn: `mail=${address}`, map: 'test', aliases: [], routingAddress: undefined });
      },
      setHost: async ({ address, mailHost }, host) => {
        directory.set(address, host);
        return Promise.resolve({ kind: mailHost === host ? 'already' : 'written' });
      },
    });
    const own = certificates[node];
    if (own === undefined) throw new Error(`no certificate for ${node}`);
    const listen = async (): Promise<Service> => startAdmin({ host: '127.0.0.1', port: ports[node], log, serverTls: createServerTls({ ...own }), isTrustedNode: ({ role }) => role === 'backend', routes: moves.routes, acts: noActs, signerOf: () => 'cluster' });
    let admin: Service | undefined = await listen();
    const die = async (): Promise<void> => {
      await admin?.stop(0);
      admin = undefined;
    };
    t.after(die);
    return { storage, moves, die, comeBack: async () => {
      await moves.yieldReclaimed();
      admin = await listen();
    } };
  };
  const [be1, be2, be3] = [await start('be1'), await start('be2'), await start('be3')];
  const nodes = { be1, be2, be3 };
  const storages = { be1: be1.storage, be2: be2.storage, be3: be3.storage };
  return {
    storages, directory,
    moves: { be1: be1.moves, be2: be2.moves, be3: be3.moves },
    move: async (address, node, { onEvent, ...more } = {}) => {
      const texts: string[] = [];
      await followMove({ address, target: target('be1', node), purge: false, wish: 'move', ...more }, (event) => {
        texts.push(`${event.step}: ${event.text}`);
        onEvent?.(event);
      });
      return texts;
    },
    die: async (node) => nodes[node].die(),
    comeBack: async (node) => nodes[node].comeBack(),
    owners: (address) => nodeNames.filter((node) => storages[node].find(address).at === 'live'),
  };
}

/** A message into INBOX; answers its UID. */
export async function put(storage: Storage, address: string, text: string): Promise<number> {
  const account = accountAt(storage, address);
  const bytes = Buffer.from(`Subject: ${text.slice(0, 40)}\r\nMessage-ID: <${text.slice(0, 40)}@x>\r\n\r\n${text}\r\n`);
  const staged = await account.stage((async function* () { yield bytes; })(), 10_000_000);
  try {
    const { uids } = await mailboxOf(account).append([{ staged, marks: { flags: 0, keywords: [] } }]);
    return uids[0] ?? 0;
  } finally {
    await staged.discard();
  }
}

/** The live account. */
export function accountAt(storage: Storage, address: string): Account {
  const record = storage.find(address);
  if (record.at !== 'live') throw new Error(`${address} is ${record.at}`);
  return record.account;
}

export async function subjectsAt(storage: Storage, address: string): Promise<string[]> {
  const mailbox = mailboxOf(accountAt(storage, address));
  return Promise.all(mailbox.rows().map(async ({ uid }) => /^Subject: (.*)\r$/m.exec(String(await mailbox.message(uid)?.read(0, 200)))?.[1] ?? ''));
}
