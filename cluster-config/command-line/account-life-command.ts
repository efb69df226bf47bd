/** `waybill account list|disable|enable|services|delete|undelete|rename|alias`: asked of the back-end that keeps the account, which does it. */
import * as os from 'node:os';
import { z } from 'zod';
import { accountServices, accountStatuses } from '../../shared/access/account-use.ts';
import { callNode } from '../../shared/admin/admin-call.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { nodeOfMailHost } from '../effective.ts';
import { recordsOf } from './account-command.ts';
import { askNodes, complaintsOf } from './ask-nodes.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

const silenceMs = 20_000;
const dayMs = 86_400_000;

const summary = z.object({
  address: z.string(),
  terms: z.object({ status: z.enum(accountStatuses), services: z.array(z.enum(accountServices)).optional() }),
  withdrawn: z.object({ why: z.enum(['deleted', 'vanished']), atMs: z.number() }).optional(),
  aliases: z.array(z.string()), ownPassword: z.enum(['yes', 'no']), bytes: z.number(), messages: z.number(),
});
const accountsAnswer = z.object({ accounts: z.array(summary) });
export type ListedAccount = z.output<typeof summary> & { readonly node: string };

const done = z.object({ notes: z.array(z.string()), ldif: z.string().optional() });
export type Done = z.output<typeof done>;

/** What was done and what is left; exit code 2 when the directory is to be changed by hand, 1 when some node did not answer. */
export interface ActOutcome {
  readonly text: string;
  readonly complaints: readonly string[];
  readonly exitCode: 0 | 1 | 2;
}

/** The accounts that back-ends keep, and who did not answer. */
export async function listedAccounts(view: ClusterView): Promise<{ readonly accounts: readonly ListedAccount[]; readonly silent: readonly string[] }> {
  const answers = await Promise.all(view.backends.map(async (node) => {
    try {
      const { accounts } = accountsAnswer.parse(await callNode(view.target(node), { path: '/administration/accounts', silenceMs }));
      return { node, accounts: accounts.map((account) => ({ ...account, node })) };
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
      return { node, accounts: undefined };
    }
  }));
  return {
    accounts: answers.flatMap(({ accounts }) => accounts ?? []).toSorted((one, other) => (one.address < other.address ? -1 : 1)),
    silent: answers.flatMap(({ node, accounts }) => (accounts === undefined ? [node] : [])),
  };
}

export interface AccountListOptions extends ClusterOptions {
  readonly domain?: string;
  readonly node?: string;
  readonly held?: boolean;
  readonly json?: boolean;
}

/** @throws Failure, UsageError */
export async function accountListText(options: AccountListOptions): Promise<ActOutcome> {
  return withCluster(options, async (view) => {
    if (options.node !== undefined) view.target(options.node);
    const { accounts, silent } = await listedAccounts(view);
    const wanted = accounts.filter(({ address, node, withdrawn }) =>
      (options.domain === undefined || address.endsWith(`@${options.domain.toLowerCase()}`)) && (options.node === undefined || node === options.node) && (options.held !== true || withdrawn !== undefined));
    const { keepDeletedDays, keepVanishedDays } = view.config.accounts;
    const rows = wanted.map((account) => [account.address, account.node, stateText(account, { deleted: keepDeletedDays, vanished: keepVanishedDays }), (account.terms.services ?? ['all']).join(','), String(account.messages), String(account.bytes), account.aliases.join(' ')]);
    const text = options.json === true ? JSON.stringify({ accounts: wanted }) : table([['ADDRESS', 'NODE', 'STATE', 'SERVICES', 'MESSAGES', 'BYTES', 'ALIASES'], ...rows]);
    return { text, complaints: silent.map((node) => `${node} does not answer`), exitCode: silent.length === 0 ? 0 : 1 };
  });
}

function stateText({ terms, withdrawn }: ListedAccount, keepDays: Readonly<Record<'deleted' | 'vanished', number>>): string {
  if (withdrawn === undefined) return terms.status;
  const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
  const what = withdrawn.why === 'deleted' ? 'deleted' : 'held, no entry';
  return `${what} since ${day(withdrawn.atMs)}, removed ${day(withdrawn.atMs + keepDays[withdrawn.why] * dayMs)}`;
}

/** Something that a back-end does to an account: the path of the route and what goes along. */
export interface Act {
  readonly route: string;
  readonly body: object;
  /** Whether sessions end, and what front-ends remember of the address. */
  readonly sessions: 'end' | 'stay';
  readonly say: (address: string, node: string) => string;
  /** Addresses beside the account's own that front-ends are to forget. */
  readonly also?: readonly string[];
}

/** @throws Failure, UsageError: nothing changed */
export async function actOnAccount(given: string, options: ClusterOptions, act: Act): Promise<ActOutcome> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    const node = await keeperOf(view, address);
    return ask(view, { address, node }, act);
  });
}

/** Removing for good takes what is in use out of use first. */
export async function purgeAccount(given: string, options: ClusterOptions): Promise<ActOutcome> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    const node = await keeperOf(view, address);
    const record = (await recordsOf(view, address))[node];
    const deleted = typeof record === 'object' && record.at === 'live' ? await ask(view, { address, node }, { route: 'delete', body: {}, sessions: 'end', say: () => '' }) : undefined;
    if (deleted?.exitCode === 2) return deleted;
    return ask(view, { address, node }, { route: 'purge', body: {}, sessions: 'stay', say: () => `${address} is removed for good from ${node}` });
  });
}

/** Who does something, for the audit. */
export function operator(): string {
  return `${os.userInfo().username}@${os.hostname()}`;
}

/** Asks a back-end to do something, then front-ends to forget the addresses and cut sessions. */
export async function ask(view: ClusterView, { address, node }: { readonly address: string; readonly node: string }, act: Act): Promise<ActOutcome> {
  const { notes, ldif } = done.parse(await callNode(view.target(node), { path: `/administration/${act.route}/${encodeURIComponent(address)}`, body: { ...act.body, by: operator() }, silenceMs }));
  const addresses = [address, ...(act.also ?? [])];
  const said = await Promise.all(addresses.flatMap((one) => [
    askNodes(view.cluster, ['frontend'], { path: '/map-flush', body: { address: one } }),
    ...(act.sessions === 'end' ? [askNodes(view.cluster, ['frontend'], { path: '/sessions/kick', body: { account: one } })] : []),
  ]));
  const complaints = [...new Set(said.flatMap(complaintsOf))].map((complaint) => `${complaint}: sessions there may go on for a while`);
  const byHand = ldif === undefined ? [] : ['', 'The directory is to be changed by hand, for example with', '', '  ldapmodify -H URI -D WHO -W <<END', ldif.trimEnd(), 'END'];
  return { text: [ldif === undefined ? act.say(address, node) : `${address}: not done yet`, ...notes, ...byHand].filter((line) => line !== '' || byHand.length > 0).join('\n'), complaints, exitCode: ldif === undefined ? 0 : 2 };
}

/** The back-end that has a record of the account, else the one where it would live. */
async function keeperOf(view: ClusterView, address: string): Promise<string> {
  if (!/^[^@\s]+@[^@\s]+$/.test(address)) throw new UsageError(`${address} is no address`);
  const records = await recordsOf(view, address);
  const keeper = Object.entries(records).find(([, record]) => typeof record === 'object' && (record.at === 'live' || record.at === 'withdrawn'))?.[0];
  if (keeper !== undefined) return keeper;
  const silent = Object.entries(records).filter(([, record]) => record === 'silent').map(([node]) => node);
  if (silent.length > 0) throw new UsageError(`no back-end that answers has an account ${address}; no answer from ${silent.join(', ')}`);
  const entry = await view.directory.maps.lookUp(address, 'also deleted');
  const node = nodeOfMailHost(view.config.nodes, entry?.mailHost ?? view.config.routing.mappingHost);
  const isNobodys = entry?.dn === undefined && entry?.local?.known !== 'yes';
  if (node === undefined || entry?.via === 'catchAll' || (isNobodys && !await mayBeAlias(view, address))) throw new UsageError(`there is no account ${address}`);
  return node;
}

/** A rename that was cut leaves the old name as an alias: the node that has it goes on. */
async function mayBeAlias(view: ClusterView, address: string): Promise<boolean> {
  return (await listedAccounts(view)).accounts.some(({ aliases }) => aliases.includes(address));
}
