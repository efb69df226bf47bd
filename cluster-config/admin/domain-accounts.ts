/**
 * What happens to all accounts of a domain that is renamed or removed for good: some at a time, so that each request is answered soon,
 * and whoever asks shows how it goes on. Nothing is remembered in between: what is left to do is seen from what there is.
 */
import { demand, nameOf } from '../../shared/admin-api/caller.ts';
import type { Call } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { z } from 'zod';
import type { ConfigurationEditor } from '../configuration-editor.ts';
import { allDomains, knownDomain, removedDomain, renamedDomain, deletedDomain } from '../domains.ts';
import type { NodeConfig } from '../effective.ts';
import { configOfNode } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { accountOperations } from './contract/accounts.ts';
import type { domainOperations } from './contract/domains.ts';
import { backendsOf } from './holders.ts';
import { fromEach } from './nodes-asked.ts';

export interface DomainParts {
  readonly config: NodeConfig;
  readonly editor: ConfigurationEditor;
}

/** The present configuration, as this node would have it. */
export function ownConfig(cluster: ClusterConfig, { nodeName }: Pick<NodeConfig, 'nodeName'>): NodeConfig {
  return configOfNode(cluster, nodeName, 'the configuration');
}

const pageSchema = accountOperations.listNodeAccounts.answer;
type Listed = z.output<typeof pageSchema>['accounts'][number] & { readonly node: string };
export type Progress = z.input<typeof domainOperations.renameDomain.answer>;
type Asked = Pick<Call, 'ask' | 'caller'>;

interface Kept {
  readonly accounts: readonly Listed[];
  readonly silent: readonly string[];
}

/** One request works for so long at accounts. */
const workMs = 8000;
const pageSize = 1000;

/** All that back-ends keep of a domain, and who did not answer. */
export async function accountsOf({ config }: Pick<DomainParts, 'config'>, call: Pick<Call, 'ask'>, domain: string): Promise<Kept> {
  const { answers, silent } = await fromEach(backendsOf(config), async (node) => allPages(call, node, domain));
  return { accounts: answers.flatMap(({ answer }) => answer), silent: silent.map(({ node }) => node) };
}

async function allPages({ ask }: Pick<Call, 'ask'>, node: string, domain: string): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ domain, limit: String(pageSize), ...(after === undefined ? {} : { after }) });
    const { accounts, next } = pageSchema.parse(await ask(node, `/nodes/${node}/accounts?${query.toString()}`));
    found.push(...accounts.map((account) => ({ ...account, node })));
    after = next;
  } while (after !== undefined);
  return found;
}

/** The new name is ours first, then accounts are renamed one by one, and the old name goes, or stays as another name. */
export async function renameDomain(parts: DomainParts, call: Asked, wish: { readonly domain: string; readonly to: string; readonly oldName: 'kept' | 'dropped' }): Promise<Progress> {
  const { caller } = call;
  demand(caller, 'manageAccounts');
  const told = { by: nameOf(caller), message: `${wish.domain} is renamed to ${wish.to}` };
  const { from, to, begin } = renamedDomain(ownConfig(await parts.editor.read(), parts.config), wish);
  if (begin !== undefined) await parts.editor.change((cluster) => renamedDomain(ownConfig(cluster, parts.config), wish).begin ?? (() => undefined), told);
  const work = await atAccounts(await accountsOf(parts, call, from), async ({ address, node, withdrawn }) => {
    if (withdrawn !== undefined) return 'passed over';
    const next = `${address.slice(0, address.lastIndexOf('@'))}@${to}`;
    await call.ask(node, `/accounts/${encodeURIComponent(address)}/rename`, { method: 'POST', body: { to: next } });
    return 'done';
  });
  if (work.state !== 'done') return { domain: to, ...work };
  return { domain: to, ...work, configuration: await parts.editor.change((cluster) => renamedDomain(ownConfig(cluster, parts.config), wish).end, told) };
}

/** Its mail is refused first, then its accounts go, and then its name. */
export async function purgeDomain(parts: DomainParts, call: Asked, given: string): Promise<Progress> {
  const { caller } = call;
  demand(caller, 'manageAccounts');
  const present = ownConfig(await parts.editor.read(), parts.config);
  const domain = knownDomain(present, given);
  const told = { by: nameOf(caller), message: `${domain} is removed for good` };
  if (Object.hasOwn(present.domainAliases, domain) || present.domainSettings[domain]?.status !== 'deleted') {
    const configuration = await parts.editor.change((cluster) => deletedDomain(ownConfig(cluster, parts.config), domain).change, told);
    if (Object.hasOwn(present.domainAliases, domain)) return { domain, state: 'done', accounts: 0, left: 0, failed: [], configuration };
  }
  const work = await atAccounts(await accountsOf(parts, call, domain), async ({ address, node }) => {
    await call.ask(node, `/accounts/${encodeURIComponent(address)}?purge=yes`, { method: 'DELETE' });
    return 'done';
  });
  if (work.state !== 'done') return { domain, ...work };
  const configuration = await parts.editor.change((cluster) => (allDomains(ownConfig(cluster, parts.config)).includes(domain) ? removedDomain(ownConfig(cluster, parts.config), domain).change : () => undefined), told);
  return { domain, ...work, configuration };
}

/** @throws Failure('backend-unavailable') when a back-end is silent: it may have some of them */
async function atAccounts({ accounts, silent }: Kept, act: (account: Listed) => Promise<'done' | 'passed over'>): Promise<Omit<Progress, 'domain' | 'configuration'>> {
  if (silent.length > 0) throw new Failure('backend-unavailable', `${silent.join(', ')} must answer for that; accounts there were not changed`);
  const failed: { address: string; reason: string }[] = [];
  let [done, seen] = [0, 0];
  const deadline = performance.now() + workMs;
  for (const account of accounts) {
    if (performance.now() > deadline) return { state: 'going-on', accounts: done, left: accounts.length - seen, failed };
    try {
      if (await act(account) === 'done') done += 1;
    } catch (error) {
      if (!isFailure(error) && !(error instanceof ApiRefusal)) throw error;
      // Nodes take a moment to pick the configuration up; until then the new domain is not ours to them.
      if (error.kind === 'foreign-domain') return { state: 'going-on', accounts: done, left: accounts.length - seen, failed };
      failed.push({ address: account.address, reason: error.message });
    }
    seen += 1;
  }
  return { state: failed.length === 0 ? 'done' : 'stopped', accounts: done, left: failed.length, failed };
}
