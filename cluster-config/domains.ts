/**
 * The domains of the cluster as its configuration has them, and every change of them as an edit of that document. Each change looks at
 * the present configuration first and throws for what can't be done; `waybill domain` and the admin API both come here. Pure.
 */
import { isMap } from 'yaml';
import type { Document } from 'yaml';
import { accountServices } from '../shared/access/account-use.ts';
import type { AccountService, AccountStatus } from '../shared/access/account-use.ts';
import { Failure } from '../shared/base/failure.ts';
import { localDomains } from './effective.ts';
import type { NodeConfig } from './effective.ts';
import { domainName } from './values.ts';

export interface DomainFacts {
  readonly domain: string;
  readonly kind: 'primary' | 'secondary' | 'alias';
  /** Whose addresses it repeats. */
  readonly of: string | undefined;
  readonly status: AccountStatus;
  readonly services: readonly AccountService[];
  /** User maps that are asked for it; none: its accounts are local. */
  readonly maps: readonly string[];
  readonly catchAll: string | undefined;
  readonly postmaster: string | undefined;
  /** Of each account. */
  readonly quota: DomainQuota;
  /** The only storages for new accounts. */
  readonly storages: readonly string[] | undefined;
}

export interface DomainQuota {
  readonly maxKilobytes?: number | undefined;
  readonly maxMessages?: number | undefined;
}

/** What is to be set of a domain; null takes it out, what is absent stays. */
export interface DomainSettings {
  readonly status?: Exclude<AccountStatus, 'deleted'> | undefined;
  readonly services?: readonly AccountService[] | 'all' | undefined;
  readonly catchAll?: string | null | undefined;
  readonly postmaster?: string | null | undefined;
  readonly quota?: DomainQuota | null | undefined;
  readonly storages?: readonly string[] | null | undefined;
}

export type DocumentChange = (document: Document) => void;

/** Deleted ones included. */
export function allDomains(config: NodeConfig): readonly string[] {
  return [...new Set([...localDomains(config), config.primaryDomain, ...config.domains, ...Object.keys(config.domainAliases)])];
}

export function domainFacts(config: NodeConfig, domain: string): DomainFacts {
  const of = config.domainAliases[domain];
  const maps = config.userMaps.filter(({ domains }) => domains?.includes(of ?? domain) ?? true).map(({ name }) => name);
  const settings = config.domainSettings[of ?? domain];
  return {
    domain, kind: domain === config.primaryDomain ? 'primary' : of === undefined ? 'secondary' : 'alias', of, status: settings?.status ?? 'active', services: settings?.services ?? accountServices,
    maps, catchAll: config.catchAll[domain] ?? config.catchAll[of ?? domain], postmaster: settings?.postmaster, quota: settings?.quota ?? {}, storages: settings?.storages,
  };
}

/** @throws Failure('bad-input') for what is no domain of the cluster */
export function knownDomain(config: NodeConfig, given: string): string {
  const domain = domainNamed(given);
  if (!allDomains(config).includes(domain)) throw new Failure('bad-input', `${domain} is no domain of this cluster; there are: ${allDomains(config).join(', ')}`);
  return domain;
}

/** @throws Failure('bad-input') */
export function addedDomain(config: NodeConfig, { domain: given, aliasOf, catchAll }: { readonly domain: string; readonly aliasOf?: string | undefined; readonly catchAll?: string | undefined }): { readonly domain: string; readonly of: string | undefined; readonly change: DocumentChange } {
  const domain = domainNamed(given);
  if (allDomains(config).includes(domain)) throw new Failure('bad-input', `${domain} is a domain of this cluster already`);
  const of = aliasOf === undefined ? undefined : knownDomain(config, aliasOf);
  return {
    domain, of,
    change: (document) => {
      if (of === undefined) addToDomains(document, domain);
      else document.setIn(['cluster', 'domainAliases', domain], of);
      if (catchAll !== undefined) document.setIn(['cluster', 'catchAll', domain], catchAll);
    },
  };
}

/** @throws Failure('bad-input') */
export function changedDomain(config: NodeConfig, given: string, settings: DomainSettings): { readonly domain: string; readonly change: DocumentChange } {
  const domain = ownDomain(config, given);
  if (statusOf(config, domain) === 'deleted') throw new Failure('bad-input', `${domain} is deleted: bring it back first`);
  const { status, services, catchAll, postmaster, quota, storages } = settings;
  const at = (name: string): readonly string[] => ['cluster', 'domainSettings', domain, name];
  return {
    domain,
    change: (document) => {
      if (status !== undefined) setOrDrop(document, at('status'), status === 'active' ? undefined : status);
      if (services !== undefined) setOrDrop(document, at('services'), services === 'all' ? undefined : services);
      if (catchAll !== undefined) setOrDrop(document, ['cluster', 'catchAll', domain], catchAll ?? undefined);
      if (postmaster !== undefined) setOrDrop(document, at('postmaster'), postmaster ?? undefined);
      if (storages !== undefined) setOrDrop(document, at('storages'), storages ?? undefined);
      if (quota !== undefined) setOrDrop(document, at('quota'), quota === null || Object.values(quota).every((limit) => limit === undefined) ? undefined : quota);
    },
  };
}

/** Of a name that repeats another domain only the name goes. @throws Failure('bad-input') also for one that is deleted already */
export function deletedDomain(config: NodeConfig, given: string): { readonly domain: string; readonly of: string | undefined; readonly change: DocumentChange } {
  const domain = knownDomain(config, given);
  refusePrimary(config, domain);
  const of = config.domainAliases[domain];
  if (of !== undefined) return { domain, of, change: (document) => setOrDrop(document, ['cluster', 'domainAliases', domain], undefined) };
  if (statusOf(config, domain) === 'deleted') throw new Failure('bad-input', `${domain} is deleted already`);
  return { domain, of, change: (document) => void document.setIn(['cluster', 'domainSettings', domain, 'status'], 'deleted') };
}

/** @throws Failure('bad-input') */
export function undeletedDomain(config: NodeConfig, given: string): { readonly domain: string; readonly change: DocumentChange } {
  const domain = knownDomain(config, given);
  if (statusOf(config, domain) !== 'deleted') throw new Failure('bad-input', `${domain} is not deleted`);
  return { domain, change: (document) => setOrDrop(document, ['cluster', 'domainSettings', domain, 'status'], undefined) };
}

/** Out of the configuration for good. @throws Failure('bad-input') for the primary one */
export function removedDomain(config: NodeConfig, given: string): { readonly domain: string; readonly change: DocumentChange } {
  const domain = knownDomain(config, given);
  refusePrimary(config, domain);
  return { domain, change: (document) => removeDomain(document, domain) };
}

export interface RenamedDomain {
  readonly from: string;
  readonly to: string;
  /** The new name is ours beside the old one, with what is set for that; undefined when it is already. */
  readonly begin: DocumentChange | undefined;
  /** The old name goes, or stays as another name of the new one. */
  readonly end: DocumentChange;
}

/** Between `begin` and `end` the accounts are renamed. @throws Failure('bad-input') */
export function renamedDomain(config: NodeConfig, { domain, to, oldName }: { readonly domain: string; readonly to: string; readonly oldName: 'kept' | 'dropped' }): RenamedDomain {
  const [from, next] = [ownDomain(config, domain), domainNamed(to)];
  refusePrimary(config, from);
  if (from === next) throw new Failure('bad-input', 'that is its name already');
  if (Object.hasOwn(config.domainAliases, next)) throw new Failure('bad-input', `${next} is another name of ${config.domainAliases[next] ?? ''}`);
  return {
    from, to: next,
    begin: allDomains(config).includes(next) ? undefined : (document) => {
      addToDomains(document, next);
      inMaps(document, (domains) => (domains.includes(from) && !domains.includes(next) ? [...domains, next] : domains));
      const settings: unknown = document.getIn(['cluster', 'domainSettings', from]);
      if (isMap(settings)) document.setIn(['cluster', 'domainSettings', next], settings.clone());
      const catchAll: unknown = document.getIn(['cluster', 'catchAll', from]);
      if (typeof catchAll === 'string') document.setIn(['cluster', 'catchAll', next], catchAll);
    },
    end: (document) => {
      removeDomain(document, from);
      inMaps(document, (domains) => domains.filter((one) => one !== from));
      if (oldName === 'kept') document.setIn(['cluster', 'domainAliases', from], next);
    },
  };
}

/** @throws Failure('bad-input') for a name that repeats another domain */
function ownDomain(config: NodeConfig, given: string): string {
  const domain = knownDomain(config, given);
  if (Object.hasOwn(config.domainAliases, domain)) throw new Failure('bad-input', `${domain} is another name of ${config.domainAliases[domain] ?? ''}: name that one`);
  return domain;
}

function refusePrimary({ primaryDomain }: NodeConfig, domain: string): void {
  if (domain === primaryDomain) throw new Failure('bad-input', `${domain} is the primary domain: make another one primary first`);
}

function domainNamed(given: string): string {
  const parsed = domainName.safeParse(given);
  if (!parsed.success || !given.includes('.')) throw new Failure('bad-input', `"${given}" is no domain name`);
  return parsed.data;
}

function statusOf(config: NodeConfig, domain: string): AccountStatus {
  return config.domainSettings[domain]?.status ?? 'active';
}

/** Changes the lists of domains that maps are asked for. */
function inMaps(document: Document, change: (domains: readonly string[]) => readonly string[]): void {
  const maps = (document.toJS() as { cluster: { userMaps?: { domains?: string[] }[] } }).cluster.userMaps ?? [];
  for (const [index, { domains }] of maps.entries()) {
    const next = domains === undefined ? undefined : change(domains);
    if (next !== undefined && next !== domains) document.setIn(['cluster', 'userMaps', index, 'domains'], document.createNode(next, { flow: true }));
  }
}

function addToDomains(document: Document, domain: string): void {
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
