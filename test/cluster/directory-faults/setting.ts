/**
 * A cluster whose users live in two directories: one behind a proxy that makes faults, for three domains (passwords checked
 * by bind, by comparison, and with a second address that is sound), and one for a domain that shall not notice anything.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { makeCertificates } from '../../harness/certificates.ts';
import { startCluster } from '../../harness/cluster.ts';
import type { Cluster } from '../../harness/cluster.ts';
import { LdapFaultProxy } from '../../harness/ldap-fault-proxy.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { baseLdif, peoplesPassword, personLdif } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';

/** Whose directory is faulty; whose directory has a second address, which is not; whose directory is another one. */
export type Group = 'alone' | 'twin' | 'sound';

export interface Inhabitant {
  readonly address: string;
  readonly owner: 'be1' | 'be2';
  readonly group: Group;
}

/** How old what a node remembers may be, while no directory answers. */
export const staleSeconds = 45;
/** How long it is remembered that there is no such user. */
export const negativeSeconds = 2;
const serviceDn = `cn=service,${slapdBase.baseDn}`;
const servicePassword = 'service-secret';

export interface Setting {
  readonly cluster: Cluster;
  readonly proxy: LdapFaultProxy;
  /** The road to the second address of `twin`. */
  readonly secondRoad: TcpProxy;
  /** Behind the proxy. */
  readonly directory: Slapd;
  /** Has lost all its entries. */
  readonly emptied: Slapd;
  /** Log in and get mail all the time. */
  readonly steady: readonly Inhabitant[];
  /** Nobody has ever heard of them before their fault. */
  fresh(fault: string): readonly Inhabitant[];
  readonly certificates: { readonly right: { readonly certificate: string; readonly key: string }; readonly wrong: { readonly certificate: string; readonly key: string } };
  setServicePassword(password: 'right' | 'wrong'): Promise<void>;
  remove(inhabitant: Inhabitant): Promise<void>;
  stop(): Promise<void>;
}

export const doomed: Inhabitant = { address: 'doomed@example.com', owner: 'be1', group: 'alone' };

const steadyPeople: readonly Inhabitant[] = [
  { address: 'one@example.com', owner: 'be1', group: 'alone' }, { address: 'two@example.com', owner: 'be2', group: 'alone' },
  { address: 'one@hash.example', owner: 'be1', group: 'alone' }, { address: 'two@hash.example', owner: 'be2', group: 'alone' },
  { address: 'one@twin.example', owner: 'be1', group: 'twin' }, { address: 'two@twin.example', owner: 'be2', group: 'twin' },
  { address: 'one@other.example', owner: 'be1', group: 'sound' }, { address: 'two@other.example', owner: 'be2', group: 'sound' },
];

function freshPeople(fault: string): readonly Inhabitant[] {
  const word = fault.replaceAll(/[^a-z0-9]/gi, '-').toLowerCase();
  return [
    { address: `${word}-1@example.com`, owner: 'be1', group: 'alone' }, { address: `${word}-2@example.com`, owner: 'be2', group: 'alone' },
    { address: `${word}-3@hash.example`, owner: 'be1', group: 'alone' },
    { address: `${word}-4@twin.example`, owner: 'be2', group: 'twin' },
    { address: `${word}-5@other.example`, owner: 'be1', group: 'sound' },
  ];
}

function ldif(people: readonly Inhabitant[]): string {
  const service = `dn: ${serviceDn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: ${servicePassword}\n`;
  return [baseLdif, service, ...people.map(({ address, owner }) => personLdif({ name: address.replace('@', '-at-'), mail: address, mailHost: owner }))].join('\n');
}

/** @param faults names of all faults that will come */
export async function startSetting(faults: readonly string[]): Promise<Setting> {
  const people = [...steadyPeople, doomed, ...faults.flatMap(freshPeople)];
  const [inFaulty, inSound] = [people.filter(({ group }) => group !== 'sound'), people.filter(({ group }) => group === 'sound')];
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'directory-faults-'));
  const closers: (() => Promise<void>)[] = [async () => fs.rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => { for (const close of closers.toReversed()) await close(); };
  try {
    const [right, wrong] = await Promise.all([makeCertificates({ ldap: 'backend' }), makeCertificates({ ldap: 'backend' })]);
    const certificates = { right: certificateOf(right), wrong: certificateOf(wrong) };
    await fs.writeFile(path.join(folder, 'ca.pem'), right['ldap']?.authority ?? '');
    await fs.writeFile(path.join(folder, 'service'), servicePassword);
    const slapd = async (text: string): Promise<Slapd> => {
      const started = await startSlapd({ ldif: text, passwordReader: serviceDn });
      closers.push(async () => started.stop());
      return started;
    };
    const [directory, second, other, emptied] = await Promise.all([slapd(ldif(inFaulty)), slapd(ldif(inFaulty)), slapd(ldif(inSound)), slapd('')]);
    const proxy = await LdapFaultProxy.start(directory.port, certificates.right);
    closers.push(async () => proxy.refuse());
    const secondRoad = await TcpProxy.start(second.port);
    closers.push(async () => secondRoad.refuse());
    const parts = configText(folder, { faulty: proxy.uri, second: `ldap://127.0.0.1:${String(secondRoad.port)}`, other: other.uri });
    const cluster = await startCluster({ directory: 'own', changeConfig: (yaml) => yaml.replace(/ {2}ldapConnectors:[^]*?\n\nnodes:\n/, `${parts}\n\nnodes:\n`) });
    closers.push(async () => cluster.stop());
    const change = async (input: string): Promise<void> => {
      const { code, complaint } = await runTool('ldapmodify', { uri: directory.uri, as: [slapdBase.adminDn, slapdBase.adminPassword], input });
      assert.equal(code, 0, complaint);
    };
    return {
      cluster, proxy, secondRoad, directory, emptied, certificates, stop,
      steady: steadyPeople,
      fresh: freshPeople,
      setServicePassword: async (which) => change(`dn: ${serviceDn}\nchangetype: modify\nreplace: userPassword\nuserPassword: ${which === 'right' ? servicePassword : 'changed'}\n`),
      remove: async ({ address }) => change(`dn: uid=${address.replace('@', '-at-')},ou=people,${slapdBase.baseDn}\nchangetype: delete\n`),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function certificateOf(made: Awaited<ReturnType<typeof makeCertificates>>): { readonly certificate: string; readonly key: string } {
  const found = made['ldap'];
  if (found === undefined) throw new Error('no certificate was made');
  return found;
}

function configText(folder: string, uris: { readonly faulty: string; readonly second: string; readonly other: string }): string {
  const connector = (name: string, at: readonly string[]): string => [
    `    - name: ${name}`, `      uris: [${at.map((uri) => `"${uri}"`).join(', ')}]`, `      ca: ${folder}/ca.pem`,
    `      bindDn: ${serviceDn}`, `      bindPassword: { file: ${folder}/service }`, `      searchBase: ${slapdBase.baseDn}`,
  ].join('\n');
  return [
    '  domains: [hash.example, twin.example, other.example]',
    `  routing: { positiveAgeSeconds: 2, negativeAgeSeconds: ${String(negativeSeconds)}, staleAgeSeconds: ${String(staleSeconds)}, verifierAgeSeconds: ${String(staleSeconds)} }`,
    '  ldapConnectors:',
    connector('faulty', [uris.faulty]), connector('hashes', [uris.faulty]), connector('twin', [uris.faulty, uris.second]), connector('sound', [uris.other]),
    '  userMaps:',
    '    - { name: alone, type: ldapBind, connector: faulty, domains: [example.com] }',
    '    - { name: hashes, type: ldapPassword, connector: hashes, domains: [hash.example] }',
    '    - { name: twin, type: ldapBind, connector: twin, domains: [twin.example] }',
    '    - { name: sound, type: ldapBind, connector: sound, domains: [other.example] }',
  ].join('\n');
}

export { peoplesPassword };
