/** `waybill directory`: runs the embedded LDAP directory until it is told to stop. */
import { readFile } from 'node:fs/promises';
import { startDirectory } from '../../shared/directory/directory.ts';
import { createLog } from '../../shared/log/log.ts';
import { readSecret } from '../secret.ts';
import { splitHostAndPort } from '../values.ts';
import { UsageError } from './usage-error.ts';

export interface DirectoryCommandOptions {
  readonly file: string;
  readonly base: string;
  readonly ldap: string;
  readonly ldaps?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly adminDn: string;
  readonly adminPasswordFile: string;
}

/** Resolves when the directory was stopped by SIGTERM, SIGINT or the end of the process that started it. */
export async function directoryCommand(options: DirectoryCommandOptions): Promise<void> {
  const plain = listenerOf('--ldap', options.ldap);
  const log = createLog({ node: 'directory', level: 'informational' });
  const running = await startDirectory({
    host: plain.host,
    port: plain.port,
    tls: await tlsOf(options, plain.host),
    baseDn: options.base,
    adminDn: options.adminDn,
    adminPassword: await readSecret({ file: options.adminPasswordFile }, {}),
    file: options.file,
    log,
  });
  log.info({ port: running.port, tlsPort: running.tlsPort }, 'ready');
  process.send?.({ ready: true });
  await new Promise<void>((resolve) => {
    for (const event of ['SIGTERM', 'SIGINT'] as const) process.once(event, () => resolve());
    if (process.send !== undefined) process.once('disconnect', () => resolve());
  });
  log.info('stopping');
  await running.close();
  // The channel to the process that started us would keep this one alive.
  if (process.connected) process.disconnect();
}

async function tlsOf({ ldaps, certificate, key }: DirectoryCommandOptions, host: string): Promise<{ readonly port: number; readonly cert: string; readonly key: string } | undefined> {
  if (ldaps === undefined) return undefined;
  if (certificate === undefined || key === undefined) throw new UsageError('--ldaps needs --certificate and --key');
  const secure = listenerOf('--ldaps', ldaps);
  if (secure.host !== host) throw new UsageError('--ldap and --ldaps must name the same IP address');
  return { port: secure.port, cert: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
}

function listenerOf(option: string, text: string): { readonly host: string; readonly port: number } {
  const parts = splitHostAndPort(text);
  if (parts === undefined) throw new UsageError(`${option} must be IP:PORT, for example 127.0.0.1:10389; it is "${text}"`);
  return parts;
}
