/** What the demo tells its user once it runs: every address, the users, where things lie, how to stop. */
import { activeListeners } from '../checks.ts';
import type { NodeConfig } from '../effective.ts';
import type { ClusterConfig } from '../load.ts';
import { splitHostAndPort } from '../values.ts';
import { backendOfUser, demoAdminDn, demoDomain, demoPassword, demoUsers } from './layout.ts';
import type { DemoLayout } from './layout.ts';

/** The order and the words of the services in the table. */
const columns: readonly { readonly service: string; readonly word: string }[] = [
  { service: 'smtpProxy', word: 'SMTP' }, { service: 'smtpReceiving', word: 'SMTP' },
  { service: 'imapProxy', word: 'IMAP' }, { service: 'imap', word: 'IMAP' },
  { service: 'pop3Proxy', word: 'POP3' }, { service: 'pop3', word: 'POP3' },
  { service: 'webmailProxy', word: 'WebMail' }, { service: 'webmail', word: 'WebMail' },
  { service: 'admin', word: 'admin' },
];

/** The closing table of a start. */
export function summary(config: ClusterConfig, layout: DemoLayout): string {
  const nodes = Object.values(config.nodes).map((node) => `${nodeLine(node)}\n`).join('');
  const webmail = Object.values(config.nodes).flatMap((node) => node.services.webmailProxy.listeners.map((listener) => `https://localhost:${splitHostAndPort(listener.address)?.port ?? ''}/`));
  const users = ['be1', 'be2'].map((backend) => `${demoUsers.filter((_unused, index) => backendOfUser(index) === backend).join(' ')} (${backend})`);
  return `
The cluster runs, on this machine only (127.0.0.1).

${nodes}  directory  ldap ${layout.directory.ldap} · ldaps ${layout.directory.ldaps}   admin: ${demoAdminDn}

  WebMail        ${webmail.join('  or  ')}
  users          ${users.join(', ')}
                 and postmaster, all @${demoDomain}; password of all, the directory's admin too: ${demoPassword}
  TLS            trust ${layout.files.authority.certificate}
  data           ${layout.folder}   (configuration: waybill.yaml, logs: log/)

  Ctrl-C stops it; the next start finds all mail again.
`;
}

function nodeLine(node: NodeConfig): string {
  const active = activeListeners(node.services, node.role);
  const services = columns.flatMap(({ service, word }) => {
    const ports = active.filter(({ path }) => path[1] === service).map(({ listener }) => `${splitHostAndPort(listener.address)?.port ?? ''}${marks(listener)}`);
    return ports.length === 0 ? [] : [`${word} ${ports.join(' ')}`];
  });
  return `  ${node.nodeName.padEnd(9)}  ${services.join(' · ')}`;
}

/** What distinguishes the ports of one service. */
function marks(listener: { readonly tls?: string; readonly trusted?: boolean; readonly kind?: string }): string {
  const words = [listener.kind === 'lmtp' ? 'LMTP' : listener.kind === 'submission' ? 'submission' : '', listener.tls === 'implicit' ? 'TLS' : '', listener.trusted === true ? 'nodes' : ''].filter((word) => word !== '');
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}
