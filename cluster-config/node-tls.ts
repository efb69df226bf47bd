/**
 * The certificates of one node, read from the files its configuration names: what clients are shown, what other nodes are
 * shown, and how another node is checked. A node is known by the subject of its certificate, not by a host name.
 */
import { X509Certificate, createHash } from 'node:crypto';
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls';
import { Failure } from '../shared/base/failure.ts';
import { NameTable } from '../shared/net/server-names.ts';
import { RenewableServerTls } from '../shared/net/renewable-tls.ts';
import { createServerTls } from '../shared/net/server-tls.ts';
import type { ServerTls } from '../shared/net/server-tls.ts';
import type { NodeIdentity } from '../shared/tls/identity.ts';
import type { CertificateSigner } from '../shared/tls/identity.ts';
import { readAdministratorAuthority } from './administrator-certificates.ts';
import { endWords } from './certificate-ends.ts';
import { certificatesIn } from './certificates-in.ts';
import { readClientCertificates } from './client-certificates.ts';
import { readNamedFile } from './held-files.ts';
import { readUserAuthority } from './user-certificates.ts';
import type { NodeConfig } from './effective.ts';

export interface NodeTls {
  /** For listeners that users and foreign servers reach. */
  readonly forClients: ServerTls;
  /** For listeners that users log in to: the same, and clients are asked for a certificate where users may have one. */
  readonly forUsers: ServerTls;
  /** For listeners that nodes reach: shows the node's certificate, knows client certificates of the cluster's authority. */
  readonly forNodes: ServerTls;
  /** For the admin listener: the same, and client certificates of the authority for administrators where there is one. */
  readonly forAdministration: ServerTls;
  /** Whose word a client certificate at the admin listener is: only the cluster's authority says who is a node. */
  readonly signerOf: (socket: TLSSocket) => CertificateSigner;
  /** To connect to a configured node: our certificate, and a check that the peer is that node. */
  readonly toNode: (node: string) => ConnectionOptions;
  /** True for a node of this cluster that the configuration lists in that role. */
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
  /** What of the certificates should be mended soon. */
  readonly warnings: readonly string[];
  /** The domain that completes names under this host name, where a virtual host says so. */
  readonly primaryDomainOf: (hostName: string) => string | undefined;
  /** Reads again what clients are shown, and whose certificates log users in, for handshakes to come. @throws as `loadNodeTls`; then all stays as it is */
  readonly renew: () => Promise<void>;
}

/** Reads and checks the files. @throws Failure('bad-input') that names the parameter and the file. */
export async function loadNodeTls(config: NodeConfig): Promise<NodeTls> {
  const [authority, nodeCertificate, nodeKey] = await Promise.all((['clusterAuthority', 'nodeCertificate', 'nodeKey'] as const).map(async (name) => readPem(config, name)));
  const nodePems = { certificate: nodeCertificate ?? '', key: nodeKey ?? '', authority };
  const forNodes = serverTls('tls.nodeCertificate and tls.nodeKey', { ...nodePems, ticketKeys: ticketKeys(nodePems.key, 'nodes'), keyExchange: 'X25519' });
  const administration = await loadAdministration(config, { nodePems, forNodes });
  let shown = await loadShown(config, authority ?? '');
  const warnings = [...shown.warnings, ...nodeWarnings(config, nodePems.certificate, authority ?? '')];
  const [forClients, forUsers] = [new RenewableServerTls(shown.forClients), new RenewableServerTls(shown.forUsers)];
  return {
    forClients, forUsers, forNodes, warnings, ...administration,
    primaryDomainOf: (hostName) => shown.domains.find(hostName),
    renew: async () => {
      shown = await loadShown(config, authority ?? '');
      forClients.renew(shown.forClients);
      forUsers.renew(shown.forUsers);
    },
    toNode: (node) => ({
      key: nodePems.key,
      cert: nodePems.certificate,
      ca: authority ?? '',
      minVersion: 'TLSv1.2',
      secureContext: forNodes.context, // of the same files: reading them for each connection costs more than a resumed handshake
      checkServerIdentity: (_host: string, peer: PeerCertificate) => checkNode(config, node, peer),
    }),
    isTrustedNode: (identity) => identity.cluster === config.clusterName && config.nodes[identity.node]?.role === identity.role,
  };
}

/** Tickets have keys of their own: an administrator's session is to be resumed at no listener for nodes. */
async function loadAdministration(config: NodeConfig, { nodePems, forNodes }: { readonly nodePems: Readonly<Record<'certificate' | 'key' | 'authority', string | undefined>>; readonly forNodes: ServerTls }): Promise<Pick<NodeTls, 'forAdministration' | 'signerOf'>> {
  const { certificate = '', key = '', authority = '' } = nodePems;
  const further = await readAdministratorAuthority(config, authority);
  if (further === undefined) return { forAdministration: forNodes, signerOf: () => 'cluster' };
  const pems = { certificate, key, authority: `${authority}\n${further}`, ticketKeys: ticketKeys(key, 'administration'), keyExchange: 'X25519' as const };
  const own = certificatesIn(authority).map(({ publicKey }) => publicKey);
  return {
    forAdministration: serverTls('administration.certificateAuthority', pems),
    signerOf: (socket) => (own.some((one) => socket.getPeerX509Certificate()?.verify(one) === true) ? 'cluster' : 'administrators'),
  };
}

interface Shown extends Pick<NodeTls, 'forClients' | 'forUsers' | 'warnings'> {
  readonly domains: NameTable<string | undefined>;
}

async function loadShown(config: NodeConfig, clusterAuthority: string): Promise<Shown> {
  const [main, ...virtualHosts] = await readClientCertificates(config);
  const users = await readUserAuthority(config, clusterAuthority);
  const pems = { ...main, virtualHosts, ticketKeys: ticketKeys(main.key, 'clients') };
  return {
    forClients: serverTls('tls.certificate and tls.key', pems),
    forUsers: serverTls('tls.certificate, tls.key and tls.userCertificates', { ...pems, ...users }),
    domains: new NameTable(virtualHosts.map(({ names, primaryDomain }) => ({ names, value: primaryDomain }))),
    warnings: [main, ...virtualHosts].flatMap((each) => each.warnings),
  };
}

/** Of the node's own certificate and the authority's. */
function nodeWarnings({ tls: { warnDays, nodeCertificate = '', clusterAuthority = '' } }: NodeConfig, certificate: string, authority: string): readonly string[] {
  return ([['tls.nodeCertificate', nodeCertificate, certificate], ['tls.clusterAuthority', clusterAuthority, authority]] as const).flatMap(([parameter, file, pem]) =>
    endWords(new X509Certificate(pem), warnDays).map((words) => `${parameter}: the certificate in ${file} ${words}`));
}

async function readPem(config: NodeConfig, name: 'clusterAuthority' | 'nodeCertificate' | 'nodeKey'): Promise<string> {
  const file = config.tls[name];
  if (file === undefined) throw new Failure('bad-input', `tls.${name} is not set for node ${config.nodeName}`);
  try {
    return await readNamedFile(file);
  } catch (cause) {
    throw new Failure('bad-input', `tls.${name}: ${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function serverTls(parameters: string, pems: Parameters<typeof createServerTls>[0]): ServerTls {
  try {
    return createServerTls(pems);
  } catch (cause) {
    throw new Failure('bad-input', `${parameters} don't hold a certificate and its key: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The same in all workers of a node, so that each can resume the others' sessions; as secret as the key it comes from. */
function ticketKeys(key: string, purpose: string): Buffer {
  return createHash('sha384').update(`session tickets for ${purpose}\0`).update(key).digest();
}

function checkNode(config: NodeConfig, node: string, peer: PeerCertificate): Error | undefined {
  const { O: cluster, CN: name, OU: role } = peer.subject;
  if (cluster === config.clusterName && name === node && role === config.nodes[node]?.role) return undefined;
  return new Error(`the server is ${String(role)} ${String(name)} of ${String(cluster)}, not node ${node} of ${config.clusterName}`);
}
