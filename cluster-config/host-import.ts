/** Hosts of a file of users written into the directory, by a command or by a node: the audit knows which were, also when the next could not be, and front-ends forget where these users were. */
import type { AdminTarget } from '../shared/admin/admin-client.ts';
import { Failure, isFailure } from '../shared/base/failure.ts';
import { tellFrontends } from './admin/address-news.ts';
import type { SilentNode } from './admin/address-news.ts';
import type { DirectoryAccess } from './directory-access.ts';
import type { NodeConfig } from './effective.ts';
import { changesOf, hostWriter } from './user-files.ts';
import type { Pair, UserChanges } from './user-files.ts';

/** For the audit: how many hosts were written, and the first of them as `ADDRESS HOST`. */
export interface WrittenHosts {
  readonly hosts: number;
  readonly first: readonly string[];
}

export interface HostImport {
  readonly directory: Pick<DirectoryAccess, 'maps' | 'setHost'>;
  readonly frontends: Readonly<Record<string, AdminTarget | undefined>>;
  /** Called once at the end, whatever the end was. */
  readonly note: (written: WrittenHosts) => Promise<void>;
}

/** So many are named in the audit. */
const mostNoted = 20;

/** Also answers the front-ends that did not hear of it. @throws Failure of the first that can't be written; those before are written, noted and told */
export async function importHosts({ directory, frontends, note }: HostImport, pairs: readonly Pair[]): Promise<UserChanges & { readonly silent: SilentNode[] }> {
  const written: { readonly address: string; readonly host: string }[] = [];
  const write = hostWriter(directory);
  let silent: SilentNode[] = [];
  let changes: UserChanges;
  try {
    changes = await changesOf(pairs, async (address, host) => {
      const outcome = await write(address, host).catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        throw new Failure(error.kind, `${address}: ${error.message} (of the hosts before it ${String(written.length)} were written)`, { cause: error });
      });
      if (outcome === 'written') written.push({ address, host });
      return outcome;
    });
  } finally {
    if (written.length > 0) silent = await tellFrontends(frontends, { addresses: written.map(({ address }) => address), sessions: 'stay' });
    await note({ hosts: written.length, first: written.slice(0, mostNoted).map(({ address, host }) => `${address} ${host}`) });
  }
  return { ...changes, silent };
}

/** Where the front-ends of the configuration are asked; undefined for one without an admin listener. */
export function frontendTargets({ nodes }: Pick<NodeConfig, 'nodes'>, target: (node: string) => AdminTarget | undefined): HostImport['frontends'] {
  return Object.fromEntries(Object.values(nodes).flatMap(({ name, role }) => (role === 'frontend' ? [[name, target(name)]] : [])));
}
