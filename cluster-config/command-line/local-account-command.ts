/** `waybill account add`: local accounts, whose passwords the back-end keeps that has the mailbox. */
import { callNode } from '../../shared/admin/admin-call.ts';
import { nodeOfMailHost } from '../effective.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { readNewPassword } from './new-password.ts';
import { UsageError } from './usage-error.ts';

export interface LocalAccountOptions extends ClusterOptions {
  /** The back-end that is to keep a new account; where the maps and `routing.mappingHost` say when absent. */
  readonly node?: string;
  /** The password is the first line of standard input; else it is asked for. */
  readonly stdin?: boolean;
}

/** Making an account may ask the directory and all other nodes. */
const patienceMs = 20_000;

/** Makes an account with a password; answers what to tell. @throws Failure, UsageError */
export async function accountAdd(given: string, options: LocalAccountOptions): Promise<string> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    const node = await homeOf(view, address, options.node);
    const password = await readNewPassword(options.stdin === true ? 'standard input' : 'terminal', address);
    await callNode(view.target(node), { path: `/local-accounts/add/${encodeURIComponent(address)}`, body: { password }, silenceMs: patienceMs });
    return `${address} lives on ${node}`;
  });
}

/** Where front-ends will look for the account; another node would keep it for nobody. */
export async function homeOf({ config, directory, backends }: ClusterView, address: string, wanted: string | undefined): Promise<string> {
  const mapped = (await directory.maps.lookUp(address))?.mailHost ?? config.routing.mappingHost;
  const node = mapped === undefined ? undefined : nodeOfMailHost(config.nodes, mapped);
  if (mapped !== undefined && node === undefined) throw new UsageError(`mail of ${address} goes to ${mapped}, which is no node of this cluster`);
  if (wanted !== undefined && node !== undefined && wanted !== node) throw new UsageError(`front-ends look for ${address} on ${node}: make it there, then move it`);
  const home = wanted ?? node ?? (backends.length === 1 ? backends[0] : undefined);
  if (home === undefined) throw new UsageError(`nothing says where ${address} is to live: name a back-end by --node, and let a user map or routing.mappingHost lead there`);
  return home;
}
