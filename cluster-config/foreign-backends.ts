/** What nodes need of the configuration to reach servers of other kinds: whose certificates count, and the master user. */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../shared/base/failure.ts';
import { clientContext } from '../shared/net/connect.ts';
import type { NodeConfig } from './effective.ts';
import { readSecret } from './secret.ts';

export interface ForeignBackends {
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly proxyProtocol: NodeConfig['foreignBackends']['proxyProtocol'];
  readonly tlsOptions: ConnectionOptions;
  readonly mail: NodeConfig['foreignBackends']['mail'];
  readonly masterUser: { readonly user: string; readonly password: string; readonly separator: string | undefined } | undefined;
}

/** Reads the files. @throws Failure('bad-input') that names the one that can't be read */
export async function loadForeignBackends(config: NodeConfig, environment: Readonly<Record<string, string | undefined>>): Promise<ForeignBackends> {
  const { tls, proxyProtocol, mail, masterUser } = config.foreignBackends;
  return {
    tls, proxyProtocol, mail,
    tlsOptions: await loadForeignTrust(config),
    masterUser: masterUser === undefined ? undefined : { user: masterUser.user, password: await readSecret(masterUser.password, environment), separator: masterUser.separator },
  };
}

/** Whose certificates count. @throws Failure('bad-input') for a file that can't be read */
export async function loadForeignTrust({ foreignBackends: { ca, verify } }: NodeConfig): Promise<ConnectionOptions> {
  return { secureContext: clientContext(ca === undefined ? undefined : await readAuthorities(ca)), rejectUnauthorized: verify };
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('bad-input', `foreignBackends.ca: ${file} can't be read`, { cause });
  }
}
