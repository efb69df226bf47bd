/** A Dovecot that stands for the foreign server of an example configuration, and the texts by which the example finds it. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { makeCertificates } from './certificates.ts';
import { startDovecot } from './dovecot.ts';
import type { Dovecot } from './dovecot.ts';
import { peoplesPassword } from './people.ts';

export interface ForeignServer {
  readonly dovecot: Dovecot;
  /** For `prepareExample`; `hostName` and `authority` as the example has them. */
  replace(hostName: string, authority: string): Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Everybody is a user there, with everybody's password. */
export async function startForeignServer(): Promise<ForeignServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'foreign-server-'));
  const { server } = await makeCertificates({ server: 'backend' });
  if (server === undefined) throw new Error('no certificate was made');
  for (const [name, text] of [['server.crt', server.certificate], ['server.key', server.key], ['authority.crt', server.authority]] as const) fs.writeFileSync(path.join(folder, name), text);
  const dovecot = await startDovecot({
    certificate: path.join(folder, 'server.crt'), key: path.join(folder, 'server.key'), password: peoplesPassword,
    master: { user: 'boss', password: 'boss-password' }, trustedNetworks: '127.0.0.1/32',
  });
  return {
    dovecot,
    replace: (hostName, authority) => ({
      [hostName]: 'localhost', [authority]: path.join(folder, 'authority.crt'),
      '{ port: 25, protocol: smtp, tls: opportunistic }': `{ port: ${String(dovecot.ports.lmtp)}, protocol: lmtp, tls: none }`,
      'imapProxy: {': `imapProxy: { mappingPort: ${String(dovecot.ports.imaps)},`,
      'pop3Proxy: {': `pop3Proxy: { mappingPort: ${String(dovecot.ports.pop3s)},`,
    }),
    stop: async () => {
      await dovecot.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
