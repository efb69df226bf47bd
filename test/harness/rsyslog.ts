/** Debian's rsyslogd as a child process: listens for UDP, TCP and TLS on free loopback ports, and writes down what it understood. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { probePort } from '../../shared/net/probe-port.ts';
import type { TestCertificate } from './certificates.ts';
import { freePort } from './free-port.ts';

export interface Understood {
  readonly facility: string;
  readonly severity: string;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly process: string;
  readonly id: string;
  readonly text: string;
}

export interface Rsyslog {
  readonly ports: Readonly<Record<'udp' | 'tcp' | 'tls', number>>;
  messages(): Promise<readonly Understood[]>;
  stop(): Promise<void>;
}

export async function startRsyslog(certificate: TestCertificate): Promise<Rsyslog> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'rsyslog-'));
  const file = (name: string): string => path.join(folder, name);
  await Promise.all((['authority', 'certificate', 'key'] as const).map(async (name) => fs.writeFile(file(`${name}.pem`), certificate[name])));
  const ports = { udp: await freePort(), tcp: await freePort(), tls: await freePort() };
  await fs.writeFile(file('rsyslog.conf'), configuration(file, ports));
  const child = spawn('/usr/sbin/rsyslogd', ['-n', '-f', file('rsyslog.conf'), '-i', file('pid')], { stdio: 'ignore' });
  for (let turn = 0; turn < 200 && (await Promise.all([ports.tcp, ports.tls].map(async (port) => probePort('127.0.0.1', port)))).includes('free'); turn += 1) await sleep(50);
  return {
    ports,
    messages: async () => {
      const text = await fs.readFile(file('messages'), 'utf8').catch(() => '');
      return text.split('\n').slice(0, -1).map((line) => {
        const [facility = '', severity = '', time = '', host = '', app = '', process = '', id = '', ...rest] = line.split('|');
        return { facility, severity, time, host, app, process, id, text: rest.join('|').trim() };
      });
    },
    stop: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await fs.rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(file: (name: string) => string, ports: Rsyslog['ports']): string {
  return `global(workDirectory="${file('.')}" defaultNetstreamDriverCAFile="${file('authority.pem')}" defaultNetstreamDriverCertFile="${file('certificate.pem')}" defaultNetstreamDriverKeyFile="${file('key.pem')}")
module(load="imudp")
module(load="imtcp")
template(name="fields" type="string" string="%syslogfacility-text%|%syslogseverity-text%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%procid%|%msgid%|%msg%\\n")
input(type="imudp" address="127.0.0.1" port="${String(ports.udp)}")
input(type="imtcp" address="127.0.0.1" port="${String(ports.tcp)}")
input(type="imtcp" address="127.0.0.1" port="${String(ports.tls)}" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
*.* action(type="omfile" file="${file('messages')}" template="fields")
`;
}
