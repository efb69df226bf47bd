/** nginx's mail proxy from Debian, with a helper of ours that answers its questions from the directory. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../harness/free-port.ts';
import { endProgram, startProgram } from './processes.ts';
import { serverFolder } from './server-folder.ts';
import { portOf } from './servers.ts';
import type { CertificateFiles, Directory, MailPorts, Peer } from './servers.ts';

const helperProgram = join(import.meta.dirname, 'ldap-auth-helper.ts');

export async function startNginx(options: {
  readonly certificates: CertificateFiles; readonly directory: Directory; readonly backend: MailPorts;
}): Promise<Peer> {
  const folder = serverFolder('nginx');
  chmodSync(folder, 0o755);
  const helperPort = await freePort();
  const { directory, backend } = options;
  const helper = await startProgram(
    [process.execPath, '--disable-warning=DEP0060', helperProgram, String(helperPort), directory.uri, directory.baseDn, String(backend.imap), String(backend.pop3)],
    [{ address: '127.0.0.1', port: helperPort }],
  );
  const ports = { imap: await freePort(), imaps: await freePort(), pop3: await freePort(), pop3s: await freePort() };
  writeFileSync(join(folder, 'nginx.conf'), configurationText({ folder, helperPort, ports, certificates: options.certificates }));
  const child = await startProgram(['/usr/sbin/nginx', '-e', join(folder, 'errors'), '-c', join(folder, 'nginx.conf')], Object.values(ports).map((port) => ({ address: '127.0.0.1', port })));
  return {
    name: 'nginx with helper', pids: [child.pid ?? 0, helper.pid ?? 0],
    port: (protocol, leg) => portOf(ports, protocol, leg),
    stop: async () => {
      await Promise.all([child, helper].map(endProgram));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configurationText({ folder, helperPort, ports, certificates }: {
  readonly folder: string; readonly helperPort: number; readonly ports: MailPorts; readonly certificates: CertificateFiles;
}): string {
  const server = (protocol: 'imap' | 'pop3'): string => `
  server { listen 127.0.0.1:${String(ports[protocol])}; protocol ${protocol}; }
  server { listen 127.0.0.1:${String(ports[`${protocol}s`])} ssl; protocol ${protocol}; }`;
  return `
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
pid ${folder}/pid;
error_log ${folder}/errors error;
worker_processes 2;
worker_rlimit_nofile 60000;
events { worker_connections 25000; }
mail {
  auth_http 127.0.0.1:${String(helperPort)}/;
  auth_http_timeout 30s;
  timeout 30m;
  imap_auth plain login;
  pop3_auth plain;
  ssl_certificate ${certificates.certificate};
  ssl_certificate_key ${certificates.key};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:mail:10m;
${server('imap')}
${server('pop3')}
}
`;
}
