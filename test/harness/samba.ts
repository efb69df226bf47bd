/**
 * A real Active Directory domain controller for tests: Debian's Samba AD DC, provisioned into a temporary folder. It wants its fixed
 * ports, so it runs in a network namespace of its own (root is needed for that), and free loopback ports lead to it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runTool } from './ldap-utils.ts';

export interface Samba {
  /** `ldap://`, `ldaps://` and the global catalogue over TLS. */
  readonly uris: { readonly ldap: string; readonly ldaps: string; readonly catalogue: string };
  readonly baseDn: string;
  readonly adminName: string;
  readonly adminPassword: string;
  /** Runs `ldapmodify` as the administrator, over TLS; entries are added where no changetype says otherwise. */
  change(ldif: string): Promise<void>;
  stop(): Promise<void>;
}

export interface SambaOptions {
  /** PEM files for TLS; the key is readable by its owner only. */
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
}

export const sambaDomain = { dnsName: 'example.test', baseDn: 'DC=example,DC=test', adminPassword: 'Admin-pass-1' } as const;
const ports = { ldap: 389, ldaps: 636, catalogue: 3269 } as const;

/** The reason why a domain controller can't run here, if there is one. */
export function sambaObstacle(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'a network namespace needs root';
}

export async function startSamba({ tls }: SambaOptions): Promise<Samba> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'samba-'));
  const children: ChildProcess[] = [];
  const servers: net.Server[] = [];
  const stop = async (): Promise<void> => {
    for (const server of servers) server.close();
    await Promise.all(children.map(endProcess));
    await fs.rm(folder, { recursive: true, force: true });
  };
  try {
    await provision(folder, tls);
    const sockets = Object.entries(ports).map(([name, port]) => `${path.join(folder, name)}=${String(port)}`);
    const command = 'ip link set lo up && "$@" & exec samba --interactive --model=single --configfile="$0" --debug-stdout';
    children.push(spawn('unshare', ['--net', '--kill-child', 'sh', '-c', command, path.join(folder, 'smb.conf'), process.execPath, path.join(import.meta.dirname, 'net-relay.ts'), ...sockets], {
      stdio: ['pipe', 'ignore', 'ignore'], detached: true,
    }));
    const [ldap, ldaps, catalogue] = await Promise.all(Object.keys(ports).map(async (name) => lead(path.join(folder, name), servers)));
    const uris = { ldap: `ldap://127.0.0.1:${String(ldap)}`, ldaps: `ldaps://127.0.0.1:${String(ldaps)}`, catalogue: `ldaps://127.0.0.1:${String(catalogue)}` };
    const samba: Samba = { uris, baseDn: sambaDomain.baseDn, adminName: `Administrator@${sambaDomain.dnsName}`, adminPassword: sambaDomain.adminPassword, change: async (ldif) => change(samba, ldif), stop };
    await untilServing(samba);
    return samba;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Some 15 seconds on an idle machine, most of them for the schema. */
async function provision(folder: string, tls: SambaOptions['tls']): Promise<void> {
  const target = path.join(folder, 'dc');
  const { realm, domain } = { realm: sambaDomain.dnsName.toUpperCase(), domain: 'EXAMPLE' };
  const child = spawn('samba-tool', [
    'domain', 'provision', `--targetdir=${target}`, `--realm=${realm}`, `--domain=${domain}`, '--server-role=dc', `--adminpass=${sambaDomain.adminPassword}`,
    '--dns-backend=NONE', '--host-ip=127.0.0.1', '--host-name=dc1',
  ], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => said.push(data));
  const [code] = await once(child, 'close') as [number];
  if (code !== 0) throw new Error(`samba-tool failed: ${Buffer.concat(said).toString().slice(-2000)}`);
  // As provisioned it would read and write files of the system: nothing but the folder, and no service but LDAP.
  await fs.writeFile(path.join(folder, 'smb.conf'), [
    '[global]', 'netbios name = DC1', `realm = ${realm}`, `workgroup = ${domain}`, 'server role = active directory domain controller',
    `private dir = ${target}/private`, `state directory = ${target}/state`, `cache directory = ${target}/cache`, `lock directory = ${target}`,
    `pid directory = ${folder}`, `ncalrpc dir = ${target}/ncalrpc`, `binddns dir = ${target}/bind-dns`, `ntp signd socket directory = ${target}/ntp`,
    'interfaces = lo', 'bind interfaces only = yes', 'server services = ldap', 'ldap server require strong auth = no', 'dsdb:schema update allowed = yes',
    'tls enabled = yes', `tls certfile = ${tls.certFile}`, `tls keyfile = ${tls.keyFile}`, `tls cafile = ${tls.caFile}`, '',
  ].join('\n'));
}

/** A free loopback port that leads to the socket. */
async function lead(socket: string, servers: net.Server[]): Promise<number> {
  const server = net.createServer((client) => {
    const other = net.connect(socket);
    for (const [from, to] of [[client, other], [other, client]] as const) {
      from.on('error', () => { to.destroy(); });
      from.on('close', () => { to.destroy(); });
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as net.AddressInfo).port;
}

async function untilServing(samba: Samba): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { code } = await runTool('ldapsearch', { uri: samba.uris.ldaps, as: [samba.adminName, samba.adminPassword], parameters: ['-s', 'base', '-b', samba.baseDn, '1.1'] });
    if (code === 0) return;
    await sleep(100);
  }
  throw new Error('Samba does not serve');
}

async function change(samba: Samba, ldif: string): Promise<void> {
  const { code, complaint } = await runTool('ldapmodify', { uri: samba.uris.ldaps, as: [samba.adminName, samba.adminPassword], parameters: ['-a'], input: ldif });
  if (code !== 0) throw new Error(`ldapmodify failed: ${complaint}`);
}

/** The whole group: Samba and the relay beside it. */
async function endProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

/** A user of the domain with an address of `example.com`, enabled, who never has to change the password. */
export function sambaUser(name: string, lines: readonly string[] = [], password = sambaUsersPassword): string {
  return [
    `dn: CN=${name},CN=Users,${sambaDomain.baseDn}`, 'objectClass: user', `cn: ${name}`, `sAMAccountName: ${name}`,
    `userPrincipalName: ${name}@${sambaDomain.dnsName}`, `mail: ${name}@example.com`, 'msDS-cloudExtensionAttribute1: be1',
    `unicodePwd:: ${Buffer.from(`"${password}"`, 'utf16le').toString('base64')}`, 'userAccountControl: 512', ...lines, '', '',
  ].join('\n');
}

export const sambaUsersPassword = 'Users-pass-1';

