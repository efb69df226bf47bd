/** The directory that all ask, and our own nodes: front-end fe1, with the Dovecot back-end for some users and be1 for the others. */
import { readFileSync, writeFileSync } from 'node:fs';
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
/** Users of each kind: `dovecot0` … have their mail at the Dovecot back-end, `waybill0` … at be1. */
export const usersOfEachKind = 100;

export interface Ground {
  readonly cluster: Cluster;
  readonly slapd: Slapd;
  readonly certificates: CertificateFiles;
}

/** A cluster that is furnished but not running, and slapd with the users. */
export async function prepareGround(): Promise<Ground> {
  const cluster = await startCluster({ nodes: [] });
  const secret = readFileSync(join(cluster.folder, 'secrets', 'directory-reader'), 'utf8').trim();
  const reader = `dn: cn=waybill,${slapdBase.baseDn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: waybill\nuserPassword: ${secret}\n`;
  const people = Array.from({ length: usersOfEachKind }, (_, index) => [
    personLdif({ name: `dovecot${String(index)}`, mailHost: '127.0.0.1' }), personLdif({ name: `waybill${String(index)}`, mailHost: 'be1' }),
  ]).flat();
  const slapd = await startSlapd({ ldif: [baseLdif, reader, ...people].join('\n'), monitor: 'yes' });
  await cluster.stopDirectory(); // the embedded one
  const certificates = { certificate: join(cluster.folder, 'tls', 'server.pem'), key: join(cluster.folder, 'tls', 'server-key.pem') };
  return { cluster, slapd, certificates };
}

/** Starts be1 and fe1, with two workers each, the directory asked without TLS as by the others. */
export async function startWaybill({ cluster, slapd }: Ground, foreign: MailPorts): Promise<{ readonly frontend: Peer; readonly backendPid: number }> {
  const limits = 'allowClearTextLogin: true, maxConnections: 20000';
  writeFileSync(cluster.configFile, readFileSync(cluster.configFile, 'utf8')
    .replace(/uris: \[[^\]]*\]/, `uris: ["${slapd.uri}"]`)
    .replace(/searchPattern: .*/, 'searchPattern: "(mail=%e)"') // the question that the others ask, too
    .replace(/workers: 1/, 'workers: 2')
    .replace('\nnodes:\n', `
frontends:
  foreignBackends: { tls: none }
  services:
    imapProxy: { mappingPort: ${String(foreign.imap)}, ${limits} }
    pop3Proxy: { mappingPort: ${String(foreign.pop3)}, ${limits} }

nodes:
`));
  await Promise.all((['be1', 'fe1'] as const).map(async (node) => cluster.startNode(node)));
  const ports = { imap: cluster.port('fe1', 'imap'), imaps: cluster.port('fe1', 'imaps'), pop3: cluster.port('fe1', 'pop3'), pop3s: cluster.port('fe1', 'pop3s') };
  const frontend: Peer = {
    name: 'Waybill', pids: [cluster.pid('fe1')],
    port: (protocol, leg) => portOf(ports, protocol, leg),
    stop: async () => { await cluster.stopNode('fe1'); },
  };
  return { frontend, backendPid: cluster.pid('be1') };
}

/** What slapd has done so far: searches and binds (slapd-monitor(5)). */
export async function directoryOperations(slapd: Slapd): Promise<{ readonly searches: number; readonly binds: number }> {
  const { output } = await runTool('ldapsearch', {
    uri: slapd.uri, as: [slapd.adminDn, slapd.adminPassword], parameters: ['-LLL', '-b', 'cn=Operations,cn=Monitor', 'monitorOpCompleted'],
  });
  const of = (kind: string): number => Number(new RegExp(`^dn: cn=${kind},[^]*?^monitorOpCompleted: (\\d+)`, 'm').exec(output)?.[1] ?? Number.NaN);
  return { searches: of('Search'), binds: of('Bind') };
}
