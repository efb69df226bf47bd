/** Two back-ends as far as ownership of accounts is concerned: real storages, a real directory, the real admin API between them. */
import type { TestContext } from 'node:test';
import { createAccounts } from '../../../backend/accounts/accounts.ts';
import type { Accounts } from '../../../backend/accounts/accounts.ts';
import { accountRoute, askHolders } from '../../../backend/accounts/holders.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import type { AdminTarget } from '../../../shared/admin/admin-client.ts';
import { startAdmin } from '../../../shared/admin/admin-server.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import { createUserMaps, standardAttributeNames } from '../../../shared/user-map/user-maps.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import { startEmbeddedDirectory } from '../../harness/embedded-directory.ts';
import { directoryLdif, keepingLog } from '../../harness/people.ts';
import { freePort } from '../../harness/free-port.ts';
import { slapdBase } from '../../harness/slapd.ts';
import { noActs } from '../../harness/no-acts.ts';
import { temporaryStorage } from '../storage/harness.ts';

const certificates = await makeCertificates({ be1: 'backend', be2: 'backend', fe1: 'frontend', stranger: 'backend' });
const nodes = ['be1', 'be2'] as const;
export type NodeName = (typeof nodes)[number];

export interface TwoNodes {
  readonly accounts: Readonly<Record<NodeName, Accounts>>;
  readonly storages: Readonly<Record<NodeName, Storage>>;
  readonly logs: Readonly<Record<NodeName, readonly Record<string, unknown>[]>>;
  readonly targets: Readonly<Record<NodeName, AdminTarget>>;
  readonly stopAdmin: Readonly<Record<NodeName, () => Promise<void>>>;
  /** As each node asks the other whether it has an account. */
  readonly askOther: Readonly<Record<NodeName, (address: string) => ReturnType<typeof askHolders>>>;
  readonly stopDirectory: () => Promise<void>;
}

export function certificateOf(name: string) {
  const found = certificates[name];
  if (found === undefined) throw new Error(`no certificate for ${name}`);
  return found;
}

export interface NodesOptions {
  /** How long what the directory said counts while it is away. */
  readonly staleMs?: number;
  /** How long what it said of limits counts before it is asked again; for ever when absent. */
  readonly limitsAgeMs?: number;
  /** Which server each node asks; both the same embedded directory when absent. */
  readonly uris?: Readonly<Record<NodeName, string>>;
}

/** Alice belongs to be1, bob to be2; carol's host is nobody's; the alias `al` is alice's, who may have seven messages. */
export const people = directoryLdif([{ name: 'alice', mailHost: 'be1', aliases: ['al@example.com'] }, { name: 'bob', mailHost: 'be2' }, { name: 'carol', mailHost: 'elsewhere' }])
  .replace('mailHost: be1\n', 'mailHost: be1\ndepartmentNumber: 7\n');

export async function twoNodes(t: TestContext, { staleMs = 60_000, limitsAgeMs, uris }: NodesOptions = {}): Promise<TwoNodes> {
  const directory = uris === undefined ? await startEmbeddedDirectory({ ldif: people }) : { ...slapdBase, stop: async () => Promise.resolve() };
  const uriOf = (node: NodeName): string => uris?.[node] ?? ('uri' in directory ? directory.uri : '');
  let stopping: Promise<void> | undefined;
  const stopDirectory = (): Promise<void> => (stopping ??= directory.stop());
  t.after(stopDirectory);
  const ports = { be1: await freePort(), be2: await freePort() };
  const start = async (node: NodeName) => {
    const { log, lines } = keepingLog();
    const storage = await temporaryStorage(t, { nodeName: node });
    const own = certificateOf(node);
    const admin = await startAdmin({
      host: '127.0.0.1', port: ports[node], log,
      serverTls: createServerTls({ ...own }),
      isTrustedNode: ({ node: peer, role }) => role === 'backend' && nodes.some((name) => name === peer),
      routes: [accountRoute(storage, async (address) => accounts.nodeOf((await accounts.lookUp(address))?.mailHost))], acts: noActs, signerOf: () => 'cluster',
    });
    t.after(async () => admin.stop(0));
    const connector = createConnector({
      name: 'directory', uris: [uriOf(node)], bindDn: directory.adminDn, bindPassword: directory.adminPassword,
      searchBase: 'dc=example,dc=com', scope: 'sub', timeoutMs: 2000, connections: 2, log,
    });
    t.after(() => connector.close());
    const maps = createUserMaps({
      maps: [{ kind: 'ldapBind', name: 'users', connector, searchPattern: '(|(mail=%e)(mailLocalAddress=%e))', attributes: { ...standardAttributeNames, quotaMessages: 'departmentNumber' }, onSeveral: 'refuse' }],
      log,
    });
    const other: NodeName = node === 'be1' ? 'be2' : 'be1';
    const askOther = async (address: string): ReturnType<typeof askHolders> => askHolders({ [other]: { host: '127.0.0.1', port: ports[other], tls: { key: own.key, cert: own.certificate, ca: own.authority } } }, address);
    const accounts: Accounts = createAccounts({
      storage, maps, log, nodeName: node, primaryDomain: 'example.com',
      nodeOf: (mailHost) => nodes.find((name) => name === mailHost), known: { staleMs, maxEntries: 10 }, limitsAgeMs,
      holders: askOther,
    });
    return { accounts, storage, lines, askOther, stop: async () => admin.stop(0) };
  };
  const [be1, be2] = [await start('be1'), await start('be2')];
  const target = (node: NodeName): AdminTarget => {
    const own = certificateOf('be1');
    return { host: '127.0.0.1', port: ports[node], tls: { key: own.key, cert: own.certificate, ca: own.authority } };
  };
  return {
    accounts: { be1: be1.accounts, be2: be2.accounts },
    storages: { be1: be1.storage, be2: be2.storage },
    logs: { be1: be1.lines, be2: be2.lines },
    targets: { be1: target('be1'), be2: target('be2') },
    stopAdmin: { be1: be1.stop, be2: be2.stop }, askOther: { be1: be1.askOther, be2: be2.askOther }, stopDirectory,
  };
}
