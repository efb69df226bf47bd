/** `waybill account list|disable|enable|services|delete|undelete|rename|alias|quota` and what other commands do to accounts: asked of the admin API. */
import type { z } from 'zod';
import { accountLifeOperations, doneSchema } from '../admin/contract/account-life.ts';
import { openApi } from './api-client.ts';
import type { ApiClient, ApiOptions, ApiQuestion } from './api-client.ts';
import { table } from './table.ts';

const listSchema = accountLifeOperations.listAccounts.answer;
export type ListedAccount = z.output<typeof listSchema>['accounts'][number];

/** What was done and what is left; exit code 2 when the directory is to be changed by hand, 1 when some node did not answer. */
export interface ActOutcome {
  readonly text: string;
  readonly complaints: readonly string[];
  readonly exitCode: 0 | 1 | 2;
}

export interface AccountListOptions extends ApiOptions {
  readonly domain?: string;
  readonly node?: string;
  readonly held?: boolean;
  readonly json?: boolean;
}

const mostOfAPage = '1000';

/** The accounts that back-ends keep, and who did not answer. */
export async function listedAccounts(api: ApiClient, filter: Readonly<Record<string, string>> = {}): Promise<{ readonly accounts: readonly ListedAccount[]; readonly silent: readonly string[] }> {
  const accounts: ListedAccount[] = [];
  const silent = new Set<string>();
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ ...filter, limit: mostOfAPage, ...(after === undefined ? {} : { after }) });
    const page = listSchema.parse(await api.ask(`/accounts?${query.toString()}`));
    accounts.push(...page.accounts);
    for (const { node } of page.silent) silent.add(node);
    after = page.next;
  } while (after !== undefined);
  return { accounts, silent: [...silent] };
}

/** @throws Failure, UsageError */
export async function accountListText({ domain, node, held, json, ...options }: AccountListOptions): Promise<ActOutcome> {
  const filter = { ...(domain === undefined ? {} : { domain }), ...(node === undefined ? {} : { node }), ...(held === true ? { state: 'withdrawn' } : {}) };
  const { accounts, silent } = await listedAccounts(await openApi(options), filter);
  const rows = accounts.map((account) => [account.address, account.node, stateText(account), (account.services ?? ['all']).join(','), String(account.messages), String(account.bytes), account.bytesLimit === 0 ? '' : String(account.bytesLimit), account.aliases.join(' ')]);
  const text = json === true ? JSON.stringify({ accounts }) : table([['ADDRESS', 'NODE', 'STATE', 'SERVICES', 'MESSAGES', 'BYTES', 'OF AT MOST', 'ALIASES'], ...rows]);
  return { text, complaints: silent.map((one) => `${one} does not answer`), exitCode: silent.length === 0 ? 0 : 1 };
}

export function stateText({ status, withdrawn }: Pick<ListedAccount, 'status' | 'withdrawn'>): string {
  if (withdrawn === undefined) return status;
  const what = withdrawn.why === 'deleted' ? 'deleted' : 'held, no entry';
  return `${what} since ${withdrawn.at.slice(0, 10)}, removed ${withdrawn.removedAt.slice(0, 10)}`;
}

/** Something that is done to an account. */
export interface Act extends ApiQuestion {
  /** Below `/accounts/ADDRESS`. */
  readonly path: string;
  readonly say: (address: string, node: string) => string;
}

/** @throws Failure, UsageError: nothing changed */
export async function actOnAccount(given: string, options: ApiOptions, act: Act): Promise<ActOutcome> {
  const api = await openApi(options);
  return askFor(api, await api.complete(given), act);
}

/** The same where the API is open, and the address whole. */
export async function askFor(api: ApiClient, address: string, { path, say, ...question }: Act): Promise<ActOutcome> {
  const { node, notes, ldif, silent } = doneSchema.parse(await api.ask(`/accounts/${encodeURIComponent(address)}${path}`, question));
  const told = [ldif === undefined ? say(address, node) : `${address}: not done yet`, ...notes].filter((line) => line !== '');
  const complaints = silent.map((one) => `${one.node} ${one.reason}: sessions there may go on for a while`);
  return { text: [...told, ...byHandText(ldif)].join('\n'), complaints, exitCode: ldif === undefined ? 0 : 2 };
}

/** What to do with LDIF that nobody could write. */
export function byHandText(ldif: string | undefined): readonly string[] {
  return ldif === undefined ? [] : ['', 'The directory is to be changed by hand, for example with', '', '  ldapmodify -H URI -D WHO -W <<END', ldif.trimEnd(), 'END'];
}
