/** A real OpenLDAP server for tests: Debian's slapd as a child process, on a free loopback port, its data in a temporary folder. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

export interface SlapdOptions {
  /** Entries below and including `dc=example,dc=com`, parents first; `userPassword` may be clear text. */
  readonly ldif: string;
  /** PEM files, to listen with TLS as well. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string } | undefined;
  /** Who may read passwords, beside the administrator. */
  readonly passwordReader?: string | undefined;
  /** Counts what it does, below cn=Monitor (slapd-monitor(5)). */
  readonly monitor?: 'yes' | undefined;
  /** Further lines of slapd.conf, before the database and at its end: overlays, limits, replication. */
  /** Its configuration is a database of its own (slapd-config(5)), as Debian installs it: `slapdConfigAdmin` may change it. */
  readonly liveConfiguration?: 'yes' | undefined;
  /** Instead of the usual core, cosine, inetorgperson, misc. */
  readonly schemas?: readonly string[] | undefined;
  readonly more?: { readonly global?: readonly string[]; readonly database?: readonly string[] } | undefined;
}

/** The administrator of cn=config, where `liveConfiguration` is asked for. */
export const slapdConfigAdmin = ['cn=admin,cn=config', 'config-secret'] as const;

export interface Slapd {
  readonly uri: string;
  /** `ldaps://…` when TLS was asked for. */
  readonly secureUri: string | undefined;
  readonly port: number;
  readonly pid: number;
  readonly baseDn: string;
  readonly adminDn: string;
  readonly adminPassword: string;
  /** Ends the process; the data stays for `resume`. */
  halt(): Promise<void>;
  /** Starts it again, on the same port, with the same data. */
  resume(): Promise<void>;
  /** Ends the process and removes the data. */
  stop(): Promise<void>;
}

export const slapdBase = { baseDn: 'dc=example,dc=com', adminDn: 'cn=admin,dc=example,dc=com', adminPassword: 'admin-secret' } as const;

/** Loads the entries and starts slapd with the schemas core, cosine, inetorgperson and misc. */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'slapd-'));
  try {
    return await startIn(folder, options);
  } catch (error) {
    await fs.rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(folder: string, options: SlapdOptions): Promise<Slapd> {
  const configuration = path.join(folder, 'slapd.conf');
  await fs.mkdir(path.join(folder, 'data'));
  await fs.writeFile(configuration, configurationText(folder, options));
  await fs.writeFile(path.join(folder, 'entries.ldif'), options.ldif);
  // Also where there are none: slaptest wants a database to be there.
  if (options.ldif.trim() !== '' || options.liveConfiguration === 'yes') await run('/usr/sbin/slapadd', ['-q', '-f', configuration, '-l', path.join(folder, 'entries.ldif')]);
  const [port, securePort] = [await freePort(), await freePort()];
  const uri = `ldap://127.0.0.1:${String(port)}`;
  const secureUri = options.tls === undefined ? undefined : `ldaps://127.0.0.1:${String(securePort)}`;
  const place = options.liveConfiguration === 'yes' ? await convertConfiguration(folder, configuration) : ['-f', configuration];
  const launch = async (): Promise<ChildProcess> => await startProcess(place, [uri, ...(secureUri === undefined ? [] : [secureUri])], port);
  let child = await launch();
  return {
    uri, secureUri, port, ...slapdBase,
    get pid() { return child.pid ?? 0; },
    halt: async () => { await endProcess(child); },
    resume: async () => { child = await launch(); },
    stop: async () => {
      await endProcess(child);
      await fs.rm(folder, { recursive: true, force: true });
    },
  };
}

function configurationText(folder: string, options: SlapdOptions): string {
  const schemas = (options.schemas ?? ['core', 'cosine', 'inetorgperson', 'misc']).map((name) => `include ${path.resolve('/etc/ldap/schema', `${name}.schema`)}`);
  const live = options.liveConfiguration === 'yes' ? ['database config', `rootdn "${slapdConfigAdmin[0]}"`, `rootpw ${slapdConfigAdmin[1]}`] : [];
  const tls = options.tls === undefined ? [] : [
    `TLSCertificateFile ${options.tls.certFile}`, `TLSCertificateKeyFile ${options.tls.keyFile}`, `TLSCACertificateFile ${options.tls.caFile}`,
  ];
  return [
    ...schemas, 'modulepath /usr/lib/ldap', 'moduleload back_mdb', `pidfile ${folder}/slapd.pid`, 'password-hash {SSHA}', ...tls, ...(options.more?.global ?? []),
    ...live, 'database mdb', `suffix "${slapdBase.baseDn}"`, `rootdn "${slapdBase.adminDn}"`, `rootpw ${slapdBase.adminPassword}`,
    `directory ${folder}/data`, 'maxsize 104857600', options.liveConfiguration === 'yes' ? 'index objectClass,uid eq' : 'index objectClass,mail,mailLocalAddress,uid eq',
    `access to attrs=userPassword by self write by anonymous auth ${options.passwordReader === undefined ? '' : `by dn.exact="${options.passwordReader}" read `}by * none`, 'access to * by * read',
    ...(options.more?.database ?? []), ...(options.monitor === 'yes' ? ['database monitor'] : []), '',
  ].join('\n');
}

/** From a file to a folder, as slaptest(8) does it. @returns the words that name it to slapd */
async function convertConfiguration(folder: string, file: string): Promise<readonly string[]> {
  const target = path.join(folder, 'slapd.d');
  await fs.mkdir(target);
  await run('/usr/sbin/slaptest', ['-f', file, '-F', target]);
  return ['-F', target];
}

async function startProcess(place: readonly string[], uris: readonly string[], port: number): Promise<ChildProcess> {
  const child = spawn('/usr/sbin/slapd', ['-d', '0', '-h', uris.map((uri) => `${uri}/`).join(' '), ...place], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints: string[] = [];
  child.stderr?.on('data', (data: Buffer) => complaints.push(data.toString()));
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`slapd ended: ${complaints.join('')}`);
    if (await accepts(port)) return child;
    await sleep(25);
  }
  child.kill('SIGKILL');
  throw new Error(`slapd does not listen: ${complaints.join('')}`);
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(timer);
}

async function run(command: string, parameters: readonly string[]): Promise<void> {
  const child = spawn(command, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  const complaints: string[] = [];
  child.stderr.on('data', (data: Buffer) => complaints.push(data.toString()));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command} failed: ${complaints.join('')}`);
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // not listening yet: the caller asks again
  } finally {
    socket.destroy();
  }
}
