/**
 * What the tests need from the operating system, and how it gets there: installed where we are root on Debian (no daemon is
 * started by that), otherwise named with the line to type.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Debian's packages and a program by which each is known to be there. */
const needed: readonly { readonly packageName: string; readonly program: string }[] = [
  { packageName: 'slapd', program: 'slapd' },
  { packageName: 'ldap-utils', program: 'ldapsearch' },
  { packageName: 'chromium-headless-shell', program: '/usr/lib/chromium/chromium-headless-shell' },
  { packageName: 'swaks', program: 'swaks' },
  { packageName: 'openssl', program: 'openssl' },
  { packageName: 'curl', program: 'curl' },
  { packageName: 'gsasl', program: 'gsasl' },
  { packageName: 'strace', program: 'strace' },
  { packageName: 'haproxy', program: 'haproxy' },
  { packageName: 'dovecot-imapd', program: 'dovecot' },
  { packageName: 'dovecot-pop3d', program: '/usr/lib/dovecot/pop3' },
  { packageName: 'dovecot-lmtpd', program: '/usr/lib/dovecot/lmtp' },
  { packageName: 'dovecot-ldap', program: '/usr/lib/dovecot/modules/auth/libauthdb_ldap.so' },
  { packageName: 'dovecot-fts-xapian', program: '/usr/lib/dovecot/modules/lib21_fts_xapian_plugin.so' },
  { packageName: 'nginx-light', program: 'nginx' },
  { packageName: 'libnginx-mod-mail', program: '/usr/lib/nginx/modules/ngx_mail_module.so' },
  { packageName: 'samba-ad-dc', program: '/usr/share/doc/samba-ad-dc/copyright' }, // it only brings others
  { packageName: 'samba-ad-provision', program: '/usr/share/samba/setup/provision.ldif' },
  { packageName: 'rsyslog', program: 'rsyslogd' },
  { packageName: 'rsyslog-gnutls', program: '/usr/share/doc/rsyslog-gnutls/copyright' },
  { packageName: 'iproute2', program: 'ip' },
  { packageName: 'systemd', program: 'systemd-analyze' },
  { packageName: 'python3-minimal', program: 'python3' },
  { packageName: 'bsdutils', program: 'script' },
  { packageName: 'pebble', program: 'pebble' },
  { packageName: 'tcc', program: 'tcc' },
  { packageName: 'isync', program: 'mbsync' },
  { packageName: 'mutt', program: 'mutt' },
  { packageName: 'fetchmail', program: 'fetchmail' },
  { packageName: 'getmail6', program: 'getmail' },
];

/** Daemons lie here, also where PATH does not say so. */
const moreFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];
/** invoke-rc.d asks this program whether a daemon may start; 101 means no (Debian policy, section 9.3.3.1). */
const policyFile = '/usr/sbin/policy-rc.d';

function isThere(program: string): boolean {
  if (isAbsolute(program)) return existsSync(program);
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...moreFolders];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  });
}

/** The packages that are missing. */
function missingPackages(): readonly string[] {
  return needed.filter(({ program }) => !isThere(program)).map(({ packageName }) => packageName);
}

/** Makes sure that all programs are there. Returns what the user has to do when they can't be had. */
export function provideSystemPackages(say: (text: string) => void): string | undefined {
  const missing = missingPackages();
  if (missing.length === 0) return undefined;
  const line = `apt-get install --yes --no-install-recommends ${missing.join(' ')}`;
  if (!existsSync('/usr/bin/apt-get')) return `the tests need programs that are missing here; Debian's packages for them: ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) return `the tests need programs that are missing here. Type this, then start again:\n  sudo ${line}`;
  say(`the tests need programs that are missing here; installing (no daemon is started): ${missing.join(' ')}`);
  const failed = install(missing);
  if (failed !== undefined) return `"${line}" failed:\n${failed}`;
  const still = missingPackages();
  return still.length === 0 ? undefined : `installed, but still not found: ${still.join(' ')}`;
}

/** Runs apt-get with a policy that keeps daemons from being started; returns its words when it failed. */
function install(packages: readonly string[]): string | undefined {
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    for (const parameters of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
      const run = spawnSync('apt-get', ['--quiet', '--quiet', ...parameters], { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
      if (run.status !== 0) return `${run.stdout}${run.stderr}`.trim().split('\n').slice(-12).join('\n') || String(run.error);
    }
    return undefined;
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true });
  }
}
