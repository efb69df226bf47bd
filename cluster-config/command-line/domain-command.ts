/**
 * `waybill domain …`: the domains of the cluster, asked of the admin API, which changes the configuration where it lies. With
 * `--document` a file is changed that no node reads, to be published afterwards.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { accountServices } from '../../shared/access/account-use.ts';
import type { AccountService } from '../../shared/access/account-use.ts';
import { counted } from '../../shared/base/counted.ts';
import { definite } from '../../shared/base/definite.ts';
import { domainOperations } from '../admin/contract/domains.ts';
import { fileEditor } from '../configuration-editor.ts';
import { addedDomain, changedDomain, deletedDomain, undeletedDomain } from '../domains.ts';
import type { DocumentChange, DomainSettings } from '../domains.ts';
import type { NodeConfig } from '../effective.ts';
import type { ActOutcome } from './account-life-command.ts';
import { openApi } from './api-client.ts';
import type { ApiClient, ApiOptions, ApiQuestion } from './api-client.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface DomainOptions extends ApiOptions {
  readonly json?: boolean;
  /** A configuration file that is changed by the command itself. */
  readonly document?: string;
}

type Domain = ReturnType<typeof domainOperations.listDomains.answer.parse>['domains'][number];

/** @throws UsageError */
export async function domainListText(options: DomainOptions): Promise<string> {
  const { domains } = domainOperations.listDomains.answer.parse(await (await openApi(options)).ask('/domains'));
  if (options.json === true) return JSON.stringify({ domains });
  return table([['DOMAIN', 'KIND', 'STATUS', 'SERVICES', 'MAPS', 'CATCH-ALL'], ...domains.map((one) =>
    [one.name, one.of === undefined ? one.kind : `alias of ${one.of}`, one.status, one.services.join(','), one.maps.join(',') || '(local accounts)', one.catchAll ?? ''])]);
}

/** The same of one domain, with its accounts counted. @throws UsageError */
export async function domainShowText(given: string, options: DomainOptions): Promise<string> {
  const domain = domainOperations.showDomain.answer.parse(await (await openApi(options)).ask(domainPath(given)));
  if (options.json === true) return JSON.stringify(domain);
  const { inUse, outOfUse, bytes, silent } = domain.accounts;
  const rows = [...rowsOf(domain), ['accounts', `${String(inUse)} in use, ${String(outOfUse)} out of use, ${String(bytes)} bytes${silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`}`]];
  return rows.map(([name = '', text = '']) => `${name.padEnd(10)} ${text}`).join('\n');
}

function rowsOf({ name, kind, of, status, services, maps, catchAll, postmaster, quota: { maxKilobytes, maxMessages }, storages }: Domain): readonly (readonly [string, string])[] {
  const limit = (most: number | undefined, unit: string): string => (most === undefined ? `${unit} as the server says` : most === 0 ? `no limit of ${unit}` : `${String(most)} ${unit}`);
  return [
    ['domain', name], ['kind', of === undefined ? kind : `alias of ${of}`], ['status', status], ['services', services.join(', ')], ['maps', maps.join(', ') || 'none: local accounts'], ['catch-all', catchAll ?? 'none'],
    ['postmaster', postmaster ?? 'who has the address'], ['an account', `${limit(maxKilobytes, 'kilobytes')}, ${limit(maxMessages, 'messages')}`], ['storages', storages?.join(', ') ?? 'all'],
  ];
}

/** @throws ConfigurationRefused, Failure, UsageError */
export async function domainAdd(domain: string, { aliasOf, catchAll, ...options }: DomainOptions & { readonly aliasOf?: string; readonly catchAll?: string }): Promise<string> {
  const body = { domain, ...(aliasOf === undefined ? {} : { aliasOf }), ...(catchAll === undefined ? {} : { catchAll }) };
  await change(options, ['/domains', { method: 'POST', body }], (config) => addedDomain(config, body));
  return aliasOf === undefined ? `${domain.toLowerCase()} is a domain of this cluster` : `${domain.toLowerCase()} is another name of ${aliasOf.toLowerCase()}`;
}

/** @throws ConfigurationRefused, Failure, UsageError */
export async function domainSet(domain: string, settings: DomainSettings, options: DomainOptions): Promise<string> {
  await change(options, [`${domainPath(domain)}/settings`, { method: 'POST', body: settings }], (config) => changedDomain(config, domain, settings));
  const { status, services } = settings;
  if (status !== undefined) return `${domain} is ${status}`;
  return services === undefined ? `${domain} is changed` : `accounts of ${domain} may be used for ${services === 'all' ? services : services.join(',')}`;
}

/** What was typed; `none` takes a parameter out. A quota that is typed in part keeps its other part. @throws UsageError */
export async function settingsOf(domain: string, { catchAll, postmaster, kilobytes, messages, storages }: Readonly<Partial<Record<'catchAll' | 'postmaster' | 'kilobytes' | 'messages' | 'storages', string | undefined>>>, options: DomainOptions): Promise<DomainSettings> {
  const text = (given: string | undefined): string | null | undefined => (given === 'none' ? null : given);
  const settings = { ...definite({ catchAll: text(catchAll), postmaster: text(postmaster), storages: storages === 'none' ? null : storages?.split(',') }) };
  if (kilobytes === undefined && messages === undefined) return settings;
  const typed = definite({ maxKilobytes: amountOf('--kilobytes', kilobytes), maxMessages: amountOf('--messages', messages) });
  const present = options.document !== undefined ? {} : domainOperations.showDomain.answer.parse(await (await openApi(options)).ask(domainPath(domain))).quota;
  return { ...settings, quota: Object.fromEntries(Object.entries({ ...present, ...typed }).filter(([, limit]) => limit !== null)) };
}

function amountOf(option: string, given: string | undefined): number | null | undefined {
  if (given === undefined) return undefined;
  if (given === 'none') return null;
  const number = Number(given);
  if (given.trim() === '' || !Number.isSafeInteger(number) || number < 0) throw new UsageError(`${option} is a whole number from 0, or "none"`);
  return number;
}

/** What was typed. @throws UsageError */
export function servicesOf(text: string): readonly AccountService[] | 'all' {
  if (text === 'all') return text;
  return text.split(',').map((one) => {
    const service = accountServices.find((known) => known === one.trim());
    if (service === undefined) throw new UsageError(`"${one}" is no service; there are ${accountServices.join(', ')}`);
    return service;
  });
}

/** Its mail is refused as foreign, nobody of it logs in, the mailboxes stay. @throws ConfigurationRefused, Failure, UsageError */
export async function domainDelete(domain: string, options: DomainOptions & { readonly purge?: boolean }): Promise<ActOutcome> {
  if (options.purge === true) {
    const outcome = await untilDone(await openApi(requireApi(options)), [`${domainPath(domain)}?purge=yes`, { method: 'DELETE' }]);
    return outcome.failed.length > 0 ? stopped(outcome, 'removed') : { text: `${outcome.domain} is removed for good, with ${counted(outcome.accounts, 'account')}`, complaints: [], exitCode: 0 };
  }
  await change(options, [domainPath(domain), { method: 'DELETE' }], (config) => deletedDomain(config, domain));
  return { text: `${domain} is deleted; its mailboxes are kept until "waybill domain delete ${domain} --purge"`, complaints: [], exitCode: 0 };
}

/** @throws ConfigurationRefused, Failure, UsageError */
export async function domainUndelete(domain: string, options: DomainOptions): Promise<string> {
  await change(options, [`${domainPath(domain)}/undelete`, { method: 'POST' }], (config) => undeletedDomain(config, domain));
  return `${domain} is back`;
}

/** @throws ConfigurationRefused, Failure, UsageError */
export async function domainRename(domain: string, to: string, options: DomainOptions & { readonly alias?: boolean }): Promise<ActOutcome> {
  const api = await openApi(requireApi(options));
  const outcome = await untilDone(api, [`${domainPath(domain)}/rename`, { method: 'POST', body: { to, oldName: options.alias === true ? 'kept' : 'dropped' } }]);
  if (outcome.failed.length > 0) return stopped(outcome, 'renamed');
  return { text: `${domain} is ${outcome.domain} now; ${counted(outcome.accounts, 'account')} renamed${options.alias === true ? `; ${domain} stays another name of it` : ''}`, complaints: [], exitCode: 0 };
}

const progressSchema = domainOperations.renameDomain.answer;
type Outcome = Pick<ReturnType<typeof progressSchema.parse>, 'domain' | 'accounts' | 'failed'>;

const pickUpMs = 30_000;
const againMs = 300;

/** Each answer is for some accounts; nodes take a moment to pick a new domain up. @throws UsageError when nothing goes on any more */
async function untilDone(api: ApiClient, [path, question]: readonly [path: string, question: ApiQuestion]): Promise<Outcome> {
  let accounts = 0;
  let deadline = performance.now() + pickUpMs;
  for (;;) {
    const progress = progressSchema.parse(await api.ask(path, question));
    accounts += progress.accounts;
    if (progress.accounts > 0) deadline = performance.now() + pickUpMs;
    if (progress.state !== 'going-on') return { ...progress, accounts };
    if (performance.now() > deadline) throw new UsageError(`nothing goes on: nodes do not take the new domain; ${counted(progress.left, 'account')} left to do. See "waybill config status", and run the command again`);
    await sleep(againMs);
  }
}

function stopped({ accounts, failed }: Outcome, what: string): ActOutcome {
  return { text: `${counted(accounts, 'account')} ${what}`, complaints: [...failed.map(({ address, reason }) => `${address}: ${reason}`), 'the domain stays; run the command again'], exitCode: 1 };
}

/** By the API, or in the document that is named. */
async function change({ document, ...options }: DomainOptions, [path, question]: readonly [path: string, question: ApiQuestion], plan: (config: NodeConfig) => { readonly change: DocumentChange }): Promise<void> {
  if (document === undefined) return void await (await openApi(options)).ask(path, question);
  await fileEditor(document).change(({ nodes }) => {
    const [config] = Object.values(nodes);
    if (config === undefined) throw new UsageError(`${document} has no nodes`);
    return plan(config).change;
  }, { by: '', message: '' });
}

function requireApi(options: DomainOptions): ApiOptions {
  if (options.document !== undefined) throw new UsageError('accounts are changed by running nodes: not with --document');
  return options;
}

function domainPath(domain: string): string {
  return `/domains/${encodeURIComponent(domain)}`;
}
