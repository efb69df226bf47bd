/** What the demo tells its user once it runs: every address, the users, where things lie, how to stop. */
import { activeListeners } from '../checks.ts';
import type { NodeConfig } from '../effective.ts';
import type { ClusterConfig } from '../load.ts';
import { splitHostAndPort } from '../values.ts';
import { backendOfUser, demoAdminDn, demoAdministrator, demoDomain, demoPassword, demoUsers } from './layout.ts';
import type { DemoLayout } from './layout.ts';

interface ShownListener {
  readonly address: string;
  readonly tls?: string;
  readonly trusted?: boolean;
  readonly kind?: string;
}

/** The rows of the table: which listeners of which services each shows. */
const rows: readonly { readonly title: string; readonly services: readonly string[]; readonly shows: (listener: ShownListener) => boolean }[] = [
  { title: 'SMTP', services: ['smtpProxy', 'smtpReceiving'], shows: (listener) => listener.kind === 'mx' },
  { title: 'submission, STARTTLS', services: ['smtpProxy', 'smtpReceiving'], shows: (listener) => listener.kind === 'submission' && listener.tls !== 'implicit' },
  { title: 'submission, TLS', services: ['smtpProxy', 'smtpReceiving'], shows: (listener) => listener.kind === 'submission' && listener.tls === 'implicit' },
  { title: 'LMTP, TLS', services: ['smtpReceiving'], shows: (listener) => listener.kind === 'lmtp' },
  { title: 'IMAP, STARTTLS', services: ['imapProxy', 'imap'], shows: (listener) => listener.tls !== 'implicit' },
  { title: 'IMAP, TLS', services: ['imapProxy', 'imap'], shows: (listener) => listener.tls === 'implicit' },
  { title: 'POP3, STARTTLS', services: ['pop3Proxy', 'pop3'], shows: (listener) => listener.tls !== 'implicit' },
  { title: 'POP3, TLS', services: ['pop3Proxy', 'pop3'], shows: (listener) => listener.tls === 'implicit' },
  { title: 'WebMail, HTTPS', services: ['webmailProxy', 'webmail'], shows: () => true },
  { title: 'admin API, HTTPS', services: ['admin'], shows: () => true },
];

const titleWidth = 22;
const cellWidth = 9;

/** The closing table of a start. */
export function summary(config: ClusterConfig, layout: DemoLayout): string {
  const nodes = Object.values(config.nodes);
  const webmail = nodes.flatMap((node) => (node.role === 'frontend' ? node.services.webmailProxy.listeners.map((listener) => `https://localhost:${portOf(listener)}/`) : []));
  const admin = nodes.flatMap((node) => node.services.admin.listeners.map((listener) => `https://localhost:${portOf(listener)}/`));
  const users = [...new Set(demoUsers.map((_user, index) => backendOfUser(index)))].map((backend) =>
    `${demoUsers.filter((_user, index) => backendOfUser(index) === backend).join(' ')} (on ${backend})`);
  return `
The cluster runs, on this machine only: every port is one of 127.0.0.1.

${portTable(nodes)}
  ${'directory'.padEnd(titleWidth)}ldap://127.0.0.1:${layout.directory.ldap}  ldaps://127.0.0.1:${layout.directory.ldaps}
  ${''.padEnd(titleWidth)}administrator ${demoAdminDn}
  * for the nodes of the cluster, by their certificates

  WebMail    ${webmail.join('  or  ')}
  users      ${users.join(', ')}
             and postmaster, all @${demoDomain}; everybody's password: ${demoPassword}
  admin API  ${admin.join('  ')}
             administrator ${demoAdministrator}, password ${demoPassword}
  TLS        trust the authority ${layout.files.authority.certificate}
  data       ${layout.folder}  (configuration in waybill.yaml, logs in log/)

  Ctrl-C stops it; the next start finds all mail again.
`;
}

/** A line for each protocol, a column for each node. */
function portTable(nodes: readonly NodeConfig[]): string {
  const head = `  ${''.padEnd(titleWidth)}${nodes.map((node) => node.nodeName.padEnd(cellWidth)).join('')}`;
  const lines = rows.map(({ title, services, shows }) => {
    const cells = nodes.map((node) => {
      const listeners = activeListeners(node.services, node.role).filter(({ path }) => services.includes(String(path[1]))).map(({ listener }) => listener as ShownListener);
      return listeners.filter(shows).map((listener) => `${portOf(listener)}${listener.trusted === true ? '*' : ''}`).join(' ').padEnd(cellWidth);
    });
    return `  ${title.padEnd(titleWidth)}${cells.join('')}`.trimEnd();
  });
  return [head.trimEnd(), ...lines].join('\n');
}

function portOf(listener: { readonly address: string }): string {
  return String(splitHostAndPort(listener.address)?.port ?? '');
}
