/**
 * Dovecot from Debian as a store of mail, in either of its formats, tuned for throughput as its manual says: login processes
 * that serve many (high-performance mode), processes of all services used again and some of them ready. fsync stays on, as shipped.
 * Logins are checked by the directory, as ours: by one bind as the entry that the name spells, which its manual calls the fastest way.
 */
import { directoryPassdb, startDovecot } from '../proxy/dovecot-servers.ts';
import type { CertificateFiles, Directory } from '../proxy/servers.ts';
import { freePort } from '../../harness/free-port.ts';
import type { MailStore } from './mail-store.ts';

export type DovecotFormat = 'sdbox' | 'maildir';

export interface DovecotStoreOptions {
  readonly format: DovecotFormat;
  readonly certificates: CertificateFiles;
  readonly directory: Directory;
  /** Of all users. */
  readonly password: string;
  /** What to run instead of the command: that command inside another. */
  readonly wrap?: ((command: readonly string[]) => readonly string[]) | undefined;
  /** Words added to its name, and to its configuration. */
  readonly more?: { readonly name: string; readonly text: string } | undefined;
}

/** A store, and the folder of the instance. */
export type DovecotStore = MailStore & { readonly folder: string };

export async function startDovecotStore({ format, certificates, directory, password, wrap, more = { name: '', text: '' } }: DovecotStoreOptions): Promise<DovecotStore> {
  const lmtp = await freePort();
  const reused = ' service_count = 0\n process_limit = 4000\n client_limit = 1\n process_min_avail = 4\n vsz_limit = 4G';
  const peer = await startDovecot({
    name: `Dovecot ${format}${more.name}`, certificates, mode: 'tuned', wrap,
    text: (folder) => `
protocols = $protocols lmtp
mail_location = ${format}:${folder}/mail/%u
maildir_very_dirty_syncs = yes
mail_fsync = optimized
mail_max_userip_connections = 0
login_trusted_networks = 127.0.0.0/8
import_environment = $import_environment LD_PRELOAD FLUSH_DELAY_US
${directoryPassdb(folder, directory, `auth_bind_userdn = uid=%n,ou=people,${directory.baseDn}`)}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mail/%u allow_all_users=yes
}
service imap {
${reused}
}
service pop3 {
${reused}
}
service lmtp {
${reused}
 inet_listener lmtp {
  address = 127.0.0.1
  port = ${String(lmtp)}
  ssl = yes
 }
}
${more.text}`,
  });
  const { ports, pids, folder } = peer;
  const plain = (port: number): MailStore['imap'] => ({ port, tls: 'no' });
  return {
    name: peer.name, folder, pids, password,
    imap: plain(ports.imap), imaps: { port: ports.imaps, tls: 'yes' }, pop3: plain(ports.pop3), lmtp: { port: lmtp, tls: 'yes' },
    stop: async () => peer.stop(),
  };
}
