/** A real Dovecot for tests: Debian's, as a child process on free loopback ports, everything in a temporary folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

export interface DovecotOptions {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** Everybody's password: whatever the name, there is such a user. */
  readonly password: string;
  readonly master: { readonly user: string; readonly password: string };
  /** Networks whose word on the client's address counts. */
  readonly trustedNetworks: string;
  /** Connections come from a proxy and must begin with a PROXY header. */
  readonly behindProxy?: 'yes' | undefined;
  /** Instead of Dovecot's own list of IMAP capabilities. */
  readonly imapCapability?: string | undefined;
  /** Ports to use again; free ones when absent. */
  readonly ports?: Dovecot['ports'] | undefined;
}

export type DovecotService = 'imap' | 'imaps' | 'pop3' | 'pop3s' | 'lmtp';

export interface Dovecot {
  readonly ports: Readonly<Record<DovecotService, number>>;
  log(): string;
  stop(): Promise<void>;
}

export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dovecot-'));
  fs.chmodSync(folder, 0o755);
  const ports = options.ports ?? { imap: await freePort(), imaps: await freePort(), pop3: await freePort(), pop3s: await freePort(), lmtp: await freePort() };
  const configuration = path.join(folder, 'dovecot.conf');
  fs.writeFileSync(path.join(folder, 'masters'), `${options.master.user}:{PLAIN}${options.master.password}\n`);
  fs.mkdirSync(path.join(folder, 'mail'));
  fs.chmodSync(path.join(folder, 'mail'), 0o777); // the umask does not count for chmod
  fs.writeFileSync(configuration, configurationText(folder, options, ports));
  const child = spawn('/usr/sbin/dovecot', ['-F', '-c', configuration], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { words += chunk.toString(); });
  const log = (): string => words + (fs.existsSync(path.join(folder, 'log')) ? fs.readFileSync(path.join(folder, 'log'), 'utf8') : '');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    fs.rmSync(folder, { recursive: true, force: true });
  };
  for (const port of Object.values(ports)) {
    if (await answers(port)) continue;
    const complaint = log();
    await stop();
    throw new Error(`Dovecot did not start:\n${complaint}`);
  }
  return { ports, log, stop };
}

function configurationText(folder: string, options: DovecotOptions, ports: Dovecot['ports']): string {
  const listener = (service: DovecotService, name: string, ssl = ''): string =>
    `service ${name} {\n inet_listener ${service} {\n  address = 127.0.0.1\n  port = ${String(ports[service])}\n${ssl}\n${options.behindProxy === undefined ? '' : '  haproxy = yes\n'} }\n}`;
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
auth_verbose = yes
protocols = imap pop3 lmtp
ssl = yes
ssl_cert = <${options.certificate}
ssl_key = <${options.key}
disable_plaintext_auth = yes
login_trusted_networks = ${options.trustedNetworks}
${options.behindProxy === undefined ? '' : 'haproxy_trusted_networks = 127.0.0.1/32'}
auth_master_user_separator = *
auth_mechanisms = plain login
first_valid_uid = 1
imap_id_log = *
${options.imapCapability === undefined ? '' : `imap_capability = ${options.imapCapability}`}
mail_location = maildir:${folder}/mail/%u
mail_uid = nobody
mail_gid = nogroup
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
passdb {
  driver = passwd-file
  args = ${folder}/masters
  master = yes
}
passdb {
  driver = static
  args = password=${options.password}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mail/%u
}
${listener('imap', 'imap-login')}
${listener('imaps', 'imap-login', '  ssl = yes')}
${listener('pop3', 'pop3-login')}
${listener('pop3s', 'pop3-login', '  ssl = yes')}
${listener('lmtp', 'lmtp')}
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
service pop3-login {
  chroot =
}
service stats {
  chroot =
}
`;
}

async function answers(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const socket = net.connect(port, '127.0.0.1');
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (connected) return true;
    await sleep(100);
  }
  return false;
}
