/** `waybill account add` and `waybill account password`: local accounts, whose passwords the back-end keeps that has the mailbox. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { callNode } from '../../shared/admin/admin-call.ts';
import { nodeOfMailHost } from '../effective.ts';
import { recordsOf } from './account-command.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { UsageError } from './usage-error.ts';

export interface LocalAccountOptions extends ClusterOptions {
  /** The back-end that is to keep a new account; where the maps and `routing.mappingHost` say when absent. */
  readonly node?: string;
  /** A file whose first line is the password; standard input when absent. */
  readonly passwordFile?: string;
}

/** Making an account may ask the directory and all other nodes. */
const patienceMs = 20_000;

/** Makes an account with a password; answers what to tell. @throws Failure, UsageError */
export async function accountAdd(given: string, options: LocalAccountOptions): Promise<string> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    const node = await homeOf(view, address, options.node);
    await callNode(view.target(node), { path: `/local-accounts/add/${encodeURIComponent(address)}`, body: { password: await readPassword(options) }, silenceMs: patienceMs });
    return `${address} lives on ${node}`;
  });
}

/** Sets the password of a local account, wherever it lives; answers what to tell. @throws Failure, UsageError */
export async function accountPassword(given: string, options: LocalAccountOptions): Promise<string> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    const records = Object.entries(await recordsOf(view, address));
    const node = records.find(([, record]) => record !== 'silent' && record.at === 'live')?.[0];
    if (node === undefined) {
      const silent = records.filter(([, record]) => record === 'silent').map(([name]) => name);
      throw new UsageError(`no back-end has an account ${address}${silent.length === 0 ? '' : ` (${silent.join(', ')}: no answer)`}`);
    }
    await callNode(view.target(node), { path: `/local-accounts/password/${encodeURIComponent(address)}`, body: { password: await readPassword(options) }, silenceMs: patienceMs });
    return `the password of ${address} is changed on ${node}`;
  });
}

/** Where front-ends will look for the account; another node would keep it for nobody. */
async function homeOf({ config, directory, backends }: ClusterView, address: string, wanted: string | undefined): Promise<string> {
  const mapped = (await directory.maps.lookUp(address))?.mailHost ?? config.routing.mappingHost;
  const node = mapped === undefined ? undefined : nodeOfMailHost(config.nodes, mapped);
  if (mapped !== undefined && node === undefined) throw new UsageError(`mail of ${address} goes to ${mapped}, which is no node of this cluster`);
  if (wanted !== undefined && node !== undefined && wanted !== node) throw new UsageError(`front-ends look for ${address} on ${node}: make it there, then move it`);
  const home = wanted ?? node ?? (backends.length === 1 ? backends[0] : undefined);
  if (home === undefined) throw new UsageError(`nothing says where ${address} is to live: name a back-end by --node, and let a user map or routing.mappingHost lead there`);
  return home;
}

/** The first line. @throws UsageError when there is none */
async function readPassword({ passwordFile }: LocalAccountOptions): Promise<string> {
  const all = passwordFile === undefined ? await text(process.stdin) : await readFile(passwordFile, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${passwordFile} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const [line = ''] = all.split(/\r?\n/);
  if (line === '') throw new UsageError('a password is needed: the first line of standard input, or of --password-file');
  return line;
}
