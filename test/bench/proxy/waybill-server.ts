/** The directory that all ask, and our own nodes: front-ends fe1 and fe2 (TLS inside), with Dovecot back-ends for some users and be1 for others. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster } from '../../harness/cluster.ts';
import type { Cluster } from '../../harness/cluster.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { baseLdif, personLdif, peoplesPassword } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { portOf } from './servers.ts';
import type { CertificateFiles, MailPorts, Peer } from './servers.ts';

export const password = peoplesPassword;
/** Users of each kind, and where their mail is: at the Dovecot for short sessions, at the one for idle sessions, at be1. */
export const usersOfEachKind = 100;
export const mailHosts = { dovecot: '127.0.0.1', idle: '127.0.0.2', waybill: 'be1' } as const;

/** In the folder of a cluster. */
const readerPassword = join('secrets', 'directory-reader');
const serverCertificate = { certificate: join('tls', 'server.pem'), key: join('tls', 'server-key.pem') };

export interface Ground {
  readonly cluster: Cluster;
  readonly slapd: Slapd;
  readonly certificates: CertificateFiles;
}

/**
 * A cluster that is furnished but not running, and slapd with the users: of each kind some, whose mail is at that host.
 * @param wrap what to run instead of the command of be1
 */
export async function prepareGround(hosts: Readonly<Record<string, string>> = mailHosts, wrap?: (command: readonly string[]) => readonly string[]): Promise<Ground> {
  const cluster = await startCluster({ nodes: [], wrap: wrap === undefined ? {} : { be1: wrap } });
  const secret = readFileSync(join(cluster.folder, readerPassword), 'utf8').trim();
  const reader = `dn: cn=waybill,${slapdBase.baseDn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: waybill\nuserPassword: ${secret}\n`;
  const people = Object.entries(hosts).flatMap(([kind, mailHost]) => Array.from({ length: usersOfEachKind }, (_, index) => personLdif({ name: `${kind}${String(index)}`, mailHost })));
  const slapd = await startSlapd({ ldif: [baseLdif, reader, ...people].join('\n'), monitor: 'yes' });
  await cluster.stopDirectory(); // the embedded one
  const certificates = { certificate: join(cluster.folder, serverCertificate.certificate), key: join(cluster.folder, serverCertificate.key) };
  return { cluster, slapd, certificates };
}

export interface WaybillPeers {
  /** To Dovecot without TLS. */
  readonly plainInside: Peer;
  /** To Dovecot with TLS; to be1 both speak mutual TLS. */
  readonly tlsInside: Peer;
  readonly backendPid: () => number;
}

/** Starts be1, fe1 and fe2, with two workers each, the directory asked without TLS as by the others. */
export async function startWaybill({ cluster, slapd }: Pick<Ground, 'cluster' | 'slapd'>, foreign: MailPorts): Promise<WaybillPeers> {
  writeFileSync(cluster.configFile, configuration(readFileSync(cluster.configFile, 'utf8'), slapd.uri, foreign));
  await Promise.all((['be1', 'fe1', 'fe2'] as const).map(async (node) => cluster.startNode(node)));
  return { plainInside: frontend(cluster, 'fe1', 'Waybill'), tlsInside: frontend(cluster, 'fe2', 'Waybill, TLS inside'), backendPid: () => cluster.pid('be1') };
}

/** The same of another version of Waybill, in a cluster of its own on the same slapd. @param folder where that version is */
export async function startWaybillBeside({ cluster: first, slapd }: Ground, { foreign, folder }: { readonly foreign: MailPorts; readonly folder: string }): Promise<WaybillPeers & { stop(): Promise<void> }> {
  const other = (command: readonly string[]): readonly string[] => command.map((word) => (word.endsWith('waybill.ts') ? join(folder, 'waybill.ts') : word));
  const cluster = await startCluster({ nodes: [], directory: 'own', wrap: { be1: other, fe1: other, fe2: other } });
  const stop = async (): Promise<void> => cluster.stop();
  try {
    for (const file of [readerPassword, serverCertificate.certificate, serverCertificate.key]) copyFileSync(join(first.folder, file), join(cluster.folder, file));
    const peers = await startWaybill({ cluster, slapd }, foreign);
    const renamed = (peer: Peer): Peer => ({ name: `${peer.name}, beside`, get pids() { return peer.pids; }, port: peer.port, stop: peer.stop });
    return { plainInside: renamed(peers.plainInside), tlsInside: renamed(peers.tlsInside), backendPid: peers.backendPid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(demo: string, directory: string, foreign: MailPorts): string {
  const limits = 'allowClearTextLogin: true, maxConnections: 20000';
  const [head = '', fe2 = ''] = demo
    .replace(/uris: \[[^\]]*\]/, `uris: ["${directory}"]`)
    .replace(/searchPattern: .*/, 'searchPattern: "(mail=%e)"') // the question that the others ask, too
    .replace(/workers: 1/, 'workers: 2')
    .replace('\nnodes:\n', `
frontends:
  foreignBackends: { tls: none, verify: false }
  services:
    imapProxy: { mappingPort: ${String(foreign.imap)}, ${limits} }
    pop3Proxy: { mappingPort: ${String(foreign.pop3)}, ${limits} }

nodes:
`).split('\n  fe2:\n');
  return `${head}\n  fe2:\n    foreignBackends: { tls: implicit }\n${fe2
    .replace('imapProxy:\n', `imapProxy:\n        mappingPort: ${String(foreign.imaps)}\n`)
    .replace('pop3Proxy:\n', `pop3Proxy:\n        mappingPort: ${String(foreign.pop3s)}\n`)}`;
}

function frontend(cluster: Cluster, node: 'fe1' | 'fe2', name: string): Peer {
  const ports = { imap: cluster.port(node, 'imap'), imaps: cluster.port(node, 'imaps'), pop3: cluster.port(node, 'pop3'), pop3s: cluster.port(node, 'pop3s') };
  return {
    name,
    get pids() { return [cluster.pid(node)]; },
    port: (protocol, leg) => portOf(ports, protocol, leg),
    stop: async () => { await cluster.stopNode(node); },
  };
}

/** What slapd has done so far: searches and binds (slapd-monitor(5)). */
export async function directoryOperations(slapd: Slapd): Promise<{ readonly searches: number; readonly binds: number }> {
  const { output } = await runTool('ldapsearch', {
    uri: slapd.uri, as: [slapd.adminDn, slapd.adminPassword], parameters: ['-LLL', '-b', 'cn=Operations,cn=Monitor', 'monitorOpCompleted'],
  });
  const of = (kind: string): number => Number(new RegExp(`^dn: cn=${kind},[^]*?^monitorOpCompleted: (\\d+)`, 'm').exec(output)?.[1] ?? Number.NaN);
  return { searches: of('Search'), binds: of('Bind') };
}
