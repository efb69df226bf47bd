/** Settings of mail programs for one user of a running cluster, as their manuals have them; each program gets a home of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../../harness/cluster.ts';

export interface Person {
  readonly cluster: Cluster;
  readonly user: string;
  /** A folder for everything that the program keeps. */
  readonly home: string;
}

function put(home: string, name: string, lines: readonly string[]): string {
  const file = join(home, name);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}

/** isync: all mailboxes, both ways, into Maildirs below `mail/`. */
export function mbsyncSettings({ cluster, user, home }: Person): string {
  const mail = join(home, 'mail');
  mkdirSync(mail);
  return put(home, 'mbsyncrc', [
    'IMAPAccount waybill', 'Host localhost', `Port ${String(cluster.port('fe1', 'imaps'))}`, `User ${user}@example.com`, `Pass ${cluster.password}`,
    'SSLType IMAPS', 'SystemCertificates no', `CertificateFile ${cluster.authorityFile}`, '',
    'IMAPStore far', 'Account waybill', '',
    'MaildirStore near', `Path ${mail}/`, `Inbox ${mail}/INBOX`, 'SubFolders Verbatim', '',
    'Channel all', 'Far :far:', 'Near :near:', 'Patterns *', 'Create Both', 'Expunge Both', 'SyncState *', 'CopyArrivalDate yes',
  ]);
}

/** mutt, which is to type `keys` and leave. */
export function muttSettings({ cluster, user, home }: Person, keys: string): string {
  const editor = join(home, 'editor.sh');
  writeFileSync(editor, '#!/bin/sh\necho "Written by an editor." >> "$1"\n', { mode: 0o755 });
  return put(home, 'muttrc', [
    `set folder="imaps://localhost:${String(cluster.port('fe1', 'imaps'))}/"`, 'set spoolfile="+INBOX"', 'set postponed="+Drafts"', 'set record=""',
    `set imap_user="${user}@example.com"`, `set imap_pass="${cluster.password}"`, `set certificate_file="${cluster.authorityFile}"`, 'set ssl_usesystemcerts=no',
    `set from="${user}@example.com"`, `set editor="${editor}"`, 'set edit_headers=no', 'set abort_unmodified=no', 'set postpone=yes', 'set mark_old=no', 'set delete=yes', 'set quit=yes', 'set confirmappend=no',
    'set wait_key=no', 'set sleep_time=0', 'set timeout=5', 'set header_cache=""', `push "${keys}"`,
  ]);
}

/** fetchmail: everything stays on the server, and what is new is put into `file`. */
export function fetchmailSettings({ cluster, user, home }: Person, protocol: 'pop3' | 'imap'): string {
  const port = cluster.port('fe1', protocol === 'pop3' ? 'pop3s' : 'imaps');
  return put(home, `fetchmailrc-${protocol}`, [
    `set idfile ${join(home, 'fetchids')}`,
    `poll localhost protocol ${protocol} port ${String(port)}${protocol === 'pop3' ? ' uidl' : ''}`,
    `  user "${user}@example.com" password "${cluster.password}" ssl sslcertck sslcertfile "${cluster.authorityFile}" keep`,
    `  mda "/bin/sh -c 'cat >> ${join(home, `fetched-${protocol}`)}'"`,
  ]);
}

/** getmail: everything stays on the server, and what is new is put into files below `new/`; it would not write a Maildir for root. */
export function getmailSettings({ cluster, user, home }: Person, protocol: 'pop3' | 'imap'): string {
  mkdirSync(join(home, 'mail', 'new'), { recursive: true });
  return put(home, `getmailrc-${protocol}`, [
    '[retriever]', `type = ${protocol === 'pop3' ? 'SimplePOP3SSLRetriever' : 'SimpleIMAPSSLRetriever'}`, 'server = localhost',
    `port = ${String(cluster.port('fe1', protocol === 'pop3' ? 'pop3s' : 'imaps'))}`, `username = ${user}@example.com`, `password = ${cluster.password}`, `ca_certs = ${cluster.authorityFile}`,
    '[destination]', 'type = MDA_external', 'path = /bin/sh', `arguments = ("-c", "cat > ${join(home, 'mail', 'new')}/$$")`, 'allow_root_commands = true',
    '[options]', 'read_all = false', 'delete = false', 'verbose = 2', 'delivered_to = false', 'received = false',
  ]);
}
