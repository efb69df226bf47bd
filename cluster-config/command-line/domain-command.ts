/**
 * `waybill domain …`: the domains of the cluster, which stand in its configuration. Changes are written there, checked first; running
 * nodes pick them up. Of a renamed or removed domain the accounts are renamed or removed at their back-ends, one by one: run it again, and it goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMap } from 'yaml';
import type { Document } from 'yaml';
import { accountServices } from '../../shared/access/account-use.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { editConfig } from '../document-edit.ts';
import { localDomains } from '../effective.ts';
import type { NodeConfig } from '../effective.ts';
import { domainName } from '../values.ts';
import { ask, listedAccounts } from './account-life-command.ts';
import type { ActOutcome, ListedAccount } from './account-life-command.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { loadConfig } from './load-config.ts';
import { table } from './table.ts';
import { tellAudit } from './tell-audit.ts';
import { UsageError } from './usage-error.ts';

export interface DomainOptions extends ClusterOptions {
  readonly json?: boolean;
}

interface DomainFacts {
  readonly domain: string;
  readonly kind: 'primary' | 'secondary' | 'alias';
  /** Whose addresses it repeats. */
  readonly of: string | undefined;
  readonly status: string;
  readonly services: readonly string[];
  /** User maps that are asked for it; none: its accounts are local. */
  readonly maps: readonly string[];
  readonly catchAll: string | undefined;
}

/** @throws ConfigurationRefused, UsageError */
export async function domainListText(options: DomainOptions): Promise<string> {
  return withCluster(options, async ({ config }) => {
    const domains = allDomains(config).map((domain) => factsOf(config, domain));
    if (options.json === true) return Promise.resolve(JSON.stringify({ domains }));
    return Promise.resolve(table([['DOMAIN', 'KIND', 'STATUS', 'SERVICES', 'MAPS', 'CATCH-ALL'], ...domains.map((one) =>
      [one.domain, one.of === undefined ? one.kind : `alias of ${one.of}`, one.status, one.services.join(','), one.maps.join(',') || '(local accounts)', one.catchAll ?? ''])]));
  });
}

/** The same of one domain, with its accounts counted. @throws Failure, UsageError */
export async function domainShowText(given: string, options: DomainOptions): Promise<string> {
  return withCluster(options, async (view) => {
    const domain = known(view.config, given);
    const facts = factsOf(view.config, domain);
    const { accounts, silent } = await listedAccounts(view);
    const own = accounts.filter(isOf(domain));
    const counted = { inUse: own.filter(({ withdrawn }) => withdrawn === undefined).length, outOfUse: own.filter(({ withdrawn }) => withdrawn !== undefined).length, silent };
    if (options.json === true) return JSON.stringify({ ...facts, accounts: counted });
    const rows = [['domain', domain], ['kind', facts.of === undefined ? facts.kind : `alias of ${facts.of}`], ['status', facts.status], ['services', facts.services.join(', ')],
      ['maps', facts.maps.join(', ') || 'none: local accounts'], ['catch-all', facts.catchAll ?? 'none'], ['accounts', `${String(counted.inUse)} in use, ${String(counted.outOfUse)} out of use${silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`}`]];
    return rows.map(([name = '', text = '']) => `${name.padEnd(10)} ${text}`).join('\n');
  });
}

/** Changes the configuration, and the audit knows for which domain. */
async function edit(options: DomainOptions, domain: string, change: Parameters<typeof editConfig>[1]): Promise<void> {
  await editConfig(options.config, change);
  await tellAudit(await loadConfig(options.config), { what: 'changeDomain', facts: { domain } });
}

/** @throws ConfigurationRefused, UsageError */
export async function domainAdd(given: string, options: DomainOptions & { readonly aliasOf?: string; readonly catchAll?: string }): Promise<string> {
  const domain = named(given);
  return withCluster(options, async ({ config }) => {
    if (allDomains(config).includes(domain)) throw new UsageError(`${domain} is a domain of this cluster already`);
    const of = options.aliasOf === undefined ? undefined : known(config, options.aliasOf);
    await edit(options, domain, (document) => {
      if (of === undefined) addDomain(document, domain);
      else document.setIn(['cluster', 'domainAliases', domain], of);
      if (options.catchAll !== undefined) document.setIn(['cluster', 'catchAll', domain], options.catchAll);
    });
    return of === undefined ? `${domain} is a domain of this cluster` : `${domain} is another name of ${of}`;
  });
}

/** @throws ConfigurationRefused, UsageError */
export async function domainSet(given: string, setting: { readonly status?: 'active' | 'noaccess' | 'disabled'; readonly services?: string }, options: DomainOptions): Promise<string> {
  return withCluster(options, async ({ config }) => {
    const domain = known(config, given);
    if (Object.hasOwn(config.domainAliases, domain)) throw new UsageError(`${domain} is another name of ${config.domainAliases[domain] ?? ''}: name that one`);
    if (statusOf(config, domain) === 'deleted') throw new UsageError(`${domain} is deleted: bring it back first`);
    await edit(options, domain, (document) => {
      if (setting.status !== undefined) setOrDrop(document, ['cluster', 'domainSettings', domain, 'status'], setting.status === 'active' ? undefined : setting.status);
      if (setting.services !== undefined) setOrDrop(document, ['cluster', 'domainSettings', domain, 'services'], setting.services === 'all' ? undefined : setting.services.split(',').map((one) => one.trim()));
    });
    return setting.status === undefined ? `accounts of ${domain} may be used for ${setting.services ?? ''}` : `${domain} is ${setting.status}`;
  });
}

/** Its mail is refused as foreign, nobody of it logs in, the mailboxes stay. @throws ConfigurationRefused, Failure, UsageError */
export async function domainDelete(given: string, options: DomainOptions & { readonly purge?: boolean }): Promise<ActOutcome> {
  return withCluster(options, async (view) => {
    const domain = known(view.config, given);
    if (domain === view.config.primaryDomain) throw new UsageError(`${domain} is the primary domain: make another one primary first`);
    const isAlias = Object.hasOwn(view.config.domainAliases, domain);
    if (isAlias) {
      await edit(options, domain, (document) => void document.deleteIn(['cluster', 'domainAliases', domain]));
      return { text: `${domain} is no name of ${view.config.domainAliases[domain] ?? ''} any more`, complaints: [], exitCode: 0 };
    }
    if (statusOf(view.config, domain) !== 'deleted') await edit(options, domain, (document) => void document.setIn(['cluster', 'domainSettings', domain, 'status'], 'deleted'));
    else if (options.purge !== true) throw new UsageError(`${domain} is deleted already`);
    return options.purge === true ? purgeDomain(view, domain, options) : { text: `${domain} is deleted; its mailboxes are kept until "waybill domain delete ${domain} --purge"`, complaints: [], exitCode: 0 };
  });
}

/** @throws ConfigurationRefused, UsageError */
export async function domainUndelete(given: string, options: DomainOptions): Promise<string> {
  return withCluster(options, async ({ config }) => {
    const domain = known(config, given);
    if (statusOf(config, domain) !== 'deleted') throw new UsageError(`${domain} is not deleted`);
    await edit(options, domain, (document) => setOrDrop(document, ['cluster', 'domainSettings', domain, 'status'], undefined));
    return `${domain} is back`;
  });
}

/** The new name is ours first, then accounts are renamed one by one, and the old name goes, or stays as another name. @throws ConfigurationRefused, Failure, UsageError */
export async function domainRename(given: string, to: string, options: DomainOptions & { readonly alias?: boolean }): Promise<ActOutcome> {
  const [from, next] = [named(given), named(to)];
  await withCluster(options, async ({ config }) => {
    known(config, from);
    if (from === config.primaryDomain) throw new UsageError(`${from} is the primary domain: make another one primary first`);
    if (Object.hasOwn(config.domainAliases, from)) throw new UsageError(`${from} is another name: delete it, and add another`);
    await edit(options, from, (document) => {
      if (!allDomains(config).includes(next)) addDomain(document, next);
      inMaps(document, (domains) => (domains.includes(from) && !domains.includes(next) ? [...domains, next] : domains));
    });
    return Promise.resolve();
  });
  return withCluster(options, async (view) => {
    const failed: string[] = [];
    const accounts = (await answered(view)).filter(isOf(from)).filter(({ withdrawn }) => withdrawn === undefined);
    for (const { address, node } of accounts) {
      const body = { to: `${address.slice(0, address.lastIndexOf('@'))}@${next}`, oldAddress: 'dropped' };
      await onceOurs(async () => ask(view, { address, node }, { route: 'rename', body, also: [body.to], sessions: 'end', say: () => '' })).catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        failed.push(`${address}: ${error.message}`);
      });
    }
    if (failed.length > 0) return { text: `${String(accounts.length - failed.length)} accounts renamed`, complaints: [...failed, 'the old domain stays; run the command again'], exitCode: 1 };
    await edit(options, from, (document) => {
      removeDomain(document, from);
      inMaps(document, (domains) => domains.filter((one) => one !== from));
      if (options.alias === true) document.setIn(['cluster', 'domainAliases', from], next);
    });
    return { text: `${from} is ${next} now; ${String(accounts.length)} accounts renamed${options.alias === true ? `; ${from} stays another name of it` : ''}`, complaints: [], exitCode: 0 };
  });
}

const pickUpMs = 30_000;
const pollMs = 250;

/** Nodes take a moment to pick the configuration up; until then the new domain is not ours to them. */
async function onceOurs<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + pickUpMs; ; await sleep(pollMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isFailure(error, 'bad-input') || !error.message.endsWith('is not ours') || performance.now() > deadline) throw error;
    }
  }
}

/** Changes the lists of domains that maps are asked for. */
function inMaps(document: Document, change: (domains: readonly string[]) => readonly string[]): void {
  const maps = (document.toJS() as { cluster: { userMaps?: { domains?: string[] }[] } }).cluster.userMaps ?? [];
  for (const [index, { domains }] of maps.entries()) {
    const next = domains === undefined ? undefined : change(domains);
    if (next !== undefined && next !== domains) document.setIn(['cluster', 'userMaps', index, 'domains'], document.createNode(next, { flow: true }));
  }
}

async function purgeDomain(view: ClusterView, domain: string, options: DomainOptions): Promise<ActOutcome> {
  const accounts = (await answered(view)).filter(isOf(domain));
  for (const { address, node, withdrawn } of accounts) {
    if (withdrawn === undefined) await ask(view, { address, node }, { route: 'delete', body: {}, sessions: 'end', say: () => '' });
    await ask(view, { address, node }, { route: 'purge', body: {}, sessions: 'stay', say: () => '' });
  }
  await edit(options, domain, (document) => removeDomain(document, domain));
  return { text: `${domain} is removed for good, with ${String(accounts.length)} accounts`, complaints: [], exitCode: 0 };
}

/** @throws UsageError when a back-end is silent: it may have some of them */
async function answered(view: ClusterView): Promise<readonly ListedAccount[]> {
  const { accounts, silent } = await listedAccounts(view);
  if (silent.length > 0) throw new UsageError(`${silent.join(', ')} must answer for that; nothing was changed there`);
  return accounts;
}

function isOf(domain: string): (account: { readonly address: string }) => boolean {
  return ({ address }) => address.endsWith(`@${domain}`);
}

/** Deleted ones included. */
function allDomains(config: NodeConfig): readonly string[] {
  return [...new Set([...localDomains(config), config.primaryDomain, ...config.domains, ...Object.keys(config.domainAliases)])];
}

function named(given: string): string {
  const parsed = domainName.safeParse(given);
  if (!parsed.success || !given.includes('.')) throw new UsageError(`"${given}" is no domain name`);
  return parsed.data;
}

function known(config: NodeConfig, given: string): string {
  const domain = named(given);
  if (!allDomains(config).includes(domain)) throw new UsageError(`${domain} is no domain of this cluster; there are: ${allDomains(config).join(', ')}`);
  return domain;
}

function statusOf(config: NodeConfig, domain: string): string {
  return config.domainSettings[domain]?.status ?? 'active';
}

function factsOf(config: NodeConfig, domain: string): DomainFacts {
  const of = config.domainAliases[domain];
  const maps = config.userMaps.filter(({ domains }) => domains?.includes(of ?? domain) ?? true).map(({ name }) => name);
  const kind = domain === config.primaryDomain ? 'primary' : of === undefined ? 'secondary' : 'alias';
  return { domain, kind, of, status: statusOf(config, of ?? domain), services: config.domainSettings[of ?? domain]?.services ?? accountServices, maps, catchAll: config.catchAll[domain] };
}

function addDomain(document: Document, domain: string): void {
  if (document.hasIn(['cluster', 'domains'])) document.addIn(['cluster', 'domains'], domain);
  else document.setIn(['cluster', 'domains'], document.createNode([domain], { flow: true }));
}

function removeDomain(document: Document, domain: string): void {
  const list = document.getIn(['cluster', 'domains']);
  const index = typeof list === 'object' && list !== null && 'toJSON' in list ? (document.toJS() as { cluster: { domains: string[] } }).cluster.domains.findIndex((one) => one.toLowerCase() === domain) : -1;
  if (index >= 0) document.deleteIn(['cluster', 'domains', index]);
  setOrDrop(document, ['cluster', 'domainSettings', domain], undefined);
  setOrDrop(document, ['cluster', 'catchAll', domain], undefined);
}

/** Maps that become empty go, too. */
function setOrDrop(document: Document, path: readonly string[], value: unknown): void {
  if (value !== undefined) return void document.setIn(path, document.createNode(value, { flow: true }));
  if (!document.hasIn(path)) return;
  document.deleteIn(path);
  for (let above = path.slice(0, -1); above.length > 1; above = above.slice(0, -1)) {
    const node = document.getIn(above);
    if (!isMap(node) || node.items.length > 0) return;
    document.deleteIn(above);
  }
}
