/**
 * Two kinds of Dovecot from Debian: the back-end that keeps the mail, and the proxy that routes by LDAP. Tuned: processes
 * serve more than one login; as shipped, the proxy has one process for each.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../harness/free-port.ts';
import { endProgram, startProgram } from './processes.ts';
import { serverFolder } from './server-folder.ts';
import { portOf } from './servers.ts';
import type { CertificateFiles, Directory, MailPorts, Peer } from './servers.ts';

export interface DovecotPeer extends Peer { readonly ports: MailPorts; readonly folder: string }

interface Place { readonly address: string; readonly ports: MailPorts }

export interface DovecotPlan {
  readonly name: string;
  readonly certificates: CertificateFiles;
  readonly mode: 'tuned' | 'as shipped';
  /** Where it listens; at free ports of 127.0.0.1 when absent. */
  readonly at?: Place | undefined;
  /** What to run instead of the command: that command inside another. */
  readonly wrap?: ((command: readonly string[]) => readonly string[]) | undefined;
  /** Configuration besides what all have; the second argument is the folder of the instance. */
  readonly text: (folder: string) => string;
}

/** Keeps mail in maildirs; whatever the name, there is such a user with that password. */
export async function startDovecotBackend(options: {
  readonly certificates: CertificateFiles; readonly password: string;
  /** Sessions that one process of the back-end serves at the same time. */
  readonly sessionsPerProcess: number;
  readonly at?: Place;
}): Promise<DovecotPeer> {
  const limits = `service_count = 0\n process_limit = 4000\n client_limit = ${String(options.sessionsPerProcess)}\n process_min_avail = 4\n vsz_limit = 4G`;
  return startDovecot({
    name: 'Dovecot, no proxy', certificates: options.certificates, mode: 'tuned', at: options.at,
    text: (folder) => `
mail_location = maildir:${folder}/mail/%u
login_trusted_networks = 127.0.0.0/8
mail_max_userip_connections = 0
passdb {
  driver = static
  args = password=${options.password}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mail/%u
}
service imap {
 ${limits}
}
service pop3 {
 ${limits}
}
`,
  });
}

/** Searches and binds in the directory, and proxies to `mailHost` with the user's own password. */
export async function startDovecotProxy(options: {
  readonly certificates: CertificateFiles; readonly directory: Directory; readonly backend: MailPorts;
  readonly mode: 'tuned' | 'as shipped'; readonly innerLeg: 'plain' | 'tls';
}): Promise<DovecotPeer> {
  const { backend, directory, innerLeg } = options;
  const [imap, pop3] = innerLeg === 'tls' ? [backend.imaps, backend.pop3s] : [backend.imap, backend.pop3];
  return startDovecot({
    name: `Dovecot proxy ${options.mode}${innerLeg === 'tls' ? ', TLS inside' : ''}`, certificates: options.certificates, mode: options.mode,
    text: (folder) => {
      const extra = innerLeg === 'tls' ? ', =ssl=any-cert' : '';
      return `
${directoryPassdb(folder, directory, `pass_filter = (mail=%u)
pass_attrs = mail=user, mailHost=host, =proxy=y, =port=%{if;%Ls;eq;imap;${String(imap)};${String(pop3)}}${extra}`)}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
`;
    },
  });
}

/** Configuration of logins that the directory checks, by a bind as the user. @param words how the user's entry is found */
export function directoryPassdb(folder: string, directory: Directory, words: string): string {
  const file = join(folder, 'ldap.conf');
  writeFileSync(file, `uris = ${directory.uri}\nbase = ${directory.baseDn}\nauth_bind = yes\n${words}\n`);
  return `passdb {\n  driver = ldap\n  args = ${file}\n}`;
}

/** Starts an instance in a folder of its own. */
export async function startDovecot(plan: DovecotPlan): Promise<DovecotPeer> {
  const folder = serverFolder('dovecot');
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'mail'));
  chmodSync(join(folder, 'mail'), 0o777); // the umask does not count for chmod
  const place = plan.at ?? { address: '127.0.0.1', ports: { imap: await freePort(), imaps: await freePort(), pop3: await freePort(), pop3s: await freePort() } };
  const { address, ports } = place;
  writeFileSync(join(folder, 'dovecot.conf'), commonText(folder, plan, place) + plan.text(folder));
  const command = ['/usr/sbin/dovecot', '-F', '-c', join(folder, 'dovecot.conf')];
  const child = await startProgram(plan.wrap?.(command) ?? command, Object.values(ports).map((port) => ({ address, port })));
  return {
    name: plan.name, folder, ports, pids: child.pid === undefined ? [] : [child.pid],
    port: (protocol, leg) => portOf(ports, protocol, leg),
    stop: async () => {
      endMaster(folder);
      await endProgram(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Within another program, such as strace, Dovecot outlives that one. */
function endMaster(folder: string): void {
  const file = join(folder, 'run', 'master.pid');
  if (existsSync(file)) process.kill(Number(readFileSync(file, 'latin1')), 'SIGTERM');
}

function commonText(folder: string, { certificates, mode }: DovecotPlan, { address, ports }: Place): string {
  const reuse = mode === 'tuned' ? ' service_count = 0\n process_min_avail = 2\n client_limit = 4500\n vsz_limit = 4G' : ' process_limit = 1000';
  const login = (protocol: 'imap' | 'pop3'): string => `
service ${protocol}-login {
 chroot =
${reuse}
 inet_listener ${protocol} {
  address = ${address}
  port = ${String(ports[protocol])}
 }
 inet_listener ${protocol}s {
  address = ${address}
  port = ${String(ports[`${protocol}s`])}
  ssl = yes
 }
}`;
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap pop3
ssl = yes
ssl_cert = <${certificates.certificate}
ssl_key = <${certificates.key}
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = 1
mail_uid = nobody
mail_gid = nogroup
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
${login('imap')}
${login('pop3')}
service auth {
 client_limit = 15000
}
service anvil {
 chroot =
 client_limit = 15000
}
service stats {
 chroot =
 client_limit = 15000
}
`;
}
