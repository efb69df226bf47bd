/** Two or three back-ends of one cluster in one process, with real TLS and the real admin API between them. Who lives where is kept in a table instead of a directory. */
import assert from 'node:assert/strict';
import type { ImapLimits } from '../../../backend/imap/imap.ts';
import { OthersFolders } from '../../../backend/sharing/others-folders.ts';
import { sharedFoldersRoute } from '../../../backend/sharing/shared-folders-route.ts';
import type { OtherNodes } from '../../../backend/sharing/sharing.ts';
import { startAdmin } from '../../../shared/admin/admin-server.ts';
import { createLog } from '../../../shared/log/log.ts';
import { connectTo } from '../../../shared/net/connect.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import type { UserEntry } from '../../../shared/user-map/user-maps.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { noActs } from '../../harness/no-acts.ts';
import { freePort } from '../../harness/free-port.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';
import { certificates, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

export type NodeName = 'be1' | 'be2';
export type AnyNode = NodeName | 'be3';
export interface TestNode extends TestServer {
  /** As `stop`, which may still come afterwards. */
  readonly crash: () => Promise<void>;
}

interface Nodes<Name extends AnyNode> {
  /** Between the nodes, on the way to be2. */
  readonly road: TcpProxy;
  readonly nodes: Readonly<Record<Name, TestNode>>;
  /** A further node, which takes connections and never says a word. */
  readonly dead: TcpProxy;
  /** Where accounts live, by what the directory says. */
  readonly homes: Map<string, AnyNode | 'dead'>;
  /** Logs in; the account is made if need be, and lives there from now on. */
  readonly logIn: (node: Name, address: string) => Promise<Dialogue>;
  readonly stop: () => Promise<void>;
}

export type TwoNodes = Nodes<NodeName>;
export type ThreeNodes = Nodes<AnyNode>;

/** @param mostNameBytes of names of shared folders in one answer of a node; as usual when absent */
export async function startTwoNodes(limits: Partial<ImapLimits> = {}, mostNameBytes?: number): Promise<TwoNodes> {
  return startNodes(['be1', 'be2'], limits, mostNameBytes);
}

export async function startThreeNodes(limits: Partial<ImapLimits> = {}): Promise<ThreeNodes> {
  return startNodes(['be1', 'be2', 'be3'], limits);
}

async function startNodes<Name extends AnyNode>(names: readonly (Name | NodeName)[], limits: Partial<ImapLimits>, mostNameBytes?: number): Promise<Nodes<Name | NodeName>> {
  const homes = new Map<string, AnyNode | 'dead'>();
  const lookUp = (address: string): UserEntry | undefined => {
    const mailHost = homes.get(address);
    return mailHost === undefined ? undefined : entryOf(address, mailHost);
  };
  const adminPorts = new Map<AnyNode, number>();
  for (const name of names) adminPorts.set(name, await freePort());
  const roads = new Map<string, number>();
  const begin = async (node: AnyNode): Promise<TestNode> => {
    const others = new Map([...adminPorts].filter(([name]) => name !== node));
    const server = await startServer({ node, ...(mostNameBytes === undefined ? {} : { mostNameBytes }), limits, others: { lookUp, nodes: othersOf(node, others, (wanted) => roads.get(wanted) ?? 0) } });
    const admin = await startAdmin({
      host: '127.0.0.1', port: adminPorts.get(node) ?? 0, serverTls: createServerTls(certificateOf(node)), isTrustedNode: ({ role }) => role === 'backend',
      routes: [sharedFoldersRoute(server.sharing)], acts: noActs, signerOf: () => 'cluster', log: createLog({ node, level: 'silent' }),
    });
    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => (stopping ??= Promise.all([admin.stop(0), server.stop()]).then(() => undefined));
    return { ...server, stop, crash: stop };
  };
  const nodes = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await begin(name)] as const))) as Record<Name | NodeName, TestNode>;
  for (const name of names) roads.set(name, nodes[name].ports.trusted);
  const road = await TcpProxy.start(nodes.be2.ports.trusted);
  const dead = await TcpProxy.start(nodes.be2.ports.trusted);
  dead.behaviour = { kind: 'hang' };
  roads.set('be2', road.port).set('dead', dead.port);
  return {
    nodes, homes, road, dead,
    logIn: async (node, address) => {
      homes.set(address, node);
      const dialogue = await Dialogue.connect({ port: nodes[node].ports.tls, tls: 'implicit' });
      dialogue.say(`login LOGIN ${address} "${password}"`);
      await dialogue.until(/^login OK/);
      return dialogue;
    },
    stop: async () => {
      await Promise.all(names.map(async (name) => nodes[name].stop()));
      await Promise.all([road.refuse(), dead.refuse()]);
    },
  };
}

/** As the directory tells of a user. */
export function entryOf(address: string, mailHost: string): UserEntry {
  return { address, mailHost, dn: `mail=${address}`, map: 'table', aliases: [], routingAddress: undefined };
}

function certificateOf(node: AnyNode) {
  const certificate = certificates[node];
  if (certificate === undefined) throw new Error(`no certificate for ${node}`);
  return certificate;
}

/** @param adminPorts of the other nodes */
function othersOf(node: AnyNode, adminPorts: ReadonlyMap<AnyNode, number>, imapPort: (node: string) => number): OtherNodes {
  const { key, certificate: cert, authority: ca } = certificateOf(node);
  const tls = { key, cert, ca };
  const folders = new OthersFolders(Object.fromEntries(Array.from(adminPorts, ([other, port]) => [other, { host: '127.0.0.1', port, tls }])));
  return {
    sharedWith: async (visitor) => folders.sharedWith(visitor),
    connect: async (node) => connectTo({ host: '127.0.0.1', port: imapPort(node), tls, timeoutMs: 5000 }),
  };
}

/** Says a command; answers the untagged lines before its end, and that. */
export async function ask(dialogue: Dialogue, command: string): Promise<{ readonly lines: readonly string[]; readonly end: string }> {
  dialogue.say(`t ${command}`);
  const lines: string[] = [];
  for (;;) {
    const line = await dialogue.line();
    if (line.startsWith('t ')) return { lines, end: line.slice(2) };
    lines.push(line);
  }
}

export async function demandOk(dialogue: Dialogue, command: string): Promise<readonly string[]> {
  const { lines, end } = await ask(dialogue, command);
  assert.match(end, /^OK/, `${command}: ${end}`);
  return lines;
}
