/** What front-ends need of the configuration to reach servers of other kinds: whose certificates count, and the master user. */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../shared/base/failure.ts';
import type { NodeConfig } from './effective.ts';
import { readSecret } from './secret.ts';

export interface ForeignBackends {
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly tlsOptions: ConnectionOptions;
  readonly masterUser: { readonly user: string; readonly password: string; readonly separator: string | undefined } | undefined;
}

/** Reads the files. @throws Failure('bad-input') that names the one that can't be read */
export async function loadForeignBackends(config: NodeConfig, environment: Readonly<Record<string, string | undefined>>): Promise<ForeignBackends> {
  const { tls, ca, verify, masterUser } = config.foreignBackends;
  const authorities = ca === undefined ? {} : { ca: await readAuthorities(ca) };
  return {
    tls,
    tlsOptions: { minVersion: 'TLSv1.2', rejectUnauthorized: verify, ...authorities },
    masterUser: masterUser === undefined ? undefined : { user: masterUser.user, password: await readSecret(masterUser.password, environment), separator: masterUser.separator },
  };
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('bad-input', `foreignBackends.ca: ${file} can't be read`, { cause });
  }
}
