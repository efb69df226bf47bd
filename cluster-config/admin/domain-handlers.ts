/** Domains over the admin API, at any node: the configuration is changed where it lies, accounts at their back-ends. */
import type { z } from 'zod';
import { demandWholeCluster, mayTouch, nameOf } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Written } from '../configuration-editor.ts';
import { addedDomain, allDomains, changedDomain, deletedDomain, domainFacts, knownDomain, undeletedDomain } from '../domains.ts';
import type { DocumentChange } from '../domains.ts';
import type { NodeConfig } from '../effective.ts';
import { domainOperations } from './contract/domains.ts';
import { accountsOf, ownConfig, purgeDomain, renameDomain } from './domain-accounts.ts';
import type { DomainParts, Progress } from './domain-accounts.ts';

export function domainHandlers(parts: DomainParts): readonly Handled[] {
  return [
    handled(domainOperations.listDomains, async ({ caller }) => {
      const present = await presentConfig(parts);
      return { domains: allDomains(present).filter((domain) => mayTouch(caller, `@${domain}`)).map((domain) => described(present, domain)) };
    }),
    handled(domainOperations.showDomain, async (call) => {
      const present = await presentConfig(parts);
      const domain = knownDomain(present, call.params.domain);
      const { accounts, silent } = await accountsOf(parts, call, domain);
      const own = accounts.filter(({ withdrawn }) => withdrawn === undefined);
      const sum = (of: 'bytes' | 'messages'): number => accounts.reduce((total, account) => total + account[of], 0);
      return { ...described(present, domain), accounts: { inUse: own.length, outOfUse: accounts.length - own.length, bytes: sum('bytes'), messages: sum('messages'), silent: [...silent] } };
    }),
    handled(domainOperations.addDomain, async ({ caller, body, reply }) => {
      demandWholeCluster(caller);
      reply.note({ domain: body.domain, ...(body.aliasOf === undefined ? {} : { aliasOf: body.aliasOf }) });
      return changed(parts, caller, (present) => addedDomain(present, body));
    }),
    handled(domainOperations.setDomain, async ({ caller, params, body, reply }) => {
      if (body.quota !== undefined || body.storages !== undefined) demandWholeCluster(caller);
      reply.note({ ...body });
      return changed(parts, caller, (present) => changedDomain(present, params.domain, body));
    }),
    handled(domainOperations.undeleteDomain, async ({ caller, params }) => {
      demandWholeCluster(caller);
      return changed(parts, caller, (present) => undeletedDomain(present, params.domain));
    }),
    handled(domainOperations.deleteDomain, async (call): Promise<Progress> => {
      const { caller, params, query, reply } = call;
      demandWholeCluster(caller);
      if (query.purge === 'yes') {
        reply.note({ purge: 'yes' });
        return purgeDomain(parts, call, params.domain);
      }
      return { ...await changed(parts, caller, (present) => deletedDomain(present, params.domain)), state: 'done', accounts: 0, left: 0, failed: [] };
    }),
    handled(domainOperations.renameDomain, async (call) => {
      demandWholeCluster(call.caller);
      call.reply.note({ ...call.body });
      return renameDomain(parts, call, { domain: call.params.domain, ...call.body });
    }),
  ];
}

/** As it is written, which nodes take up within some seconds; where it can't be read, what this node runs. */
async function presentConfig({ config, editor }: DomainParts): Promise<NodeConfig> {
  try {
    return ownConfig(await editor.read(), config);
  } catch (error) {
    if (isFailure(error)) return config;
    throw error;
  }
}

function described(config: NodeConfig, name: string): z.input<typeof domainOperations.listDomains.answer>['domains'][number] {
  const { kind, of, status, services, maps, catchAll, postmaster, quota, storages } = domainFacts(config, name);
  return {
    name, kind, status, services: [...services], maps: [...maps], quota: { ...quota }, ...(of === undefined ? {} : { of }), ...(catchAll === undefined ? {} : { catchAll }),
    ...(postmaster === undefined ? {} : { postmaster }), ...(storages === undefined ? {} : { storages: [...storages] }),
  };
}

/** Writes one change of the configuration; what it is about says the change itself. */
async function changed({ config, editor }: DomainParts, caller: Caller, plan: (present: NodeConfig) => { readonly domain: string; readonly change: DocumentChange }): Promise<{ domain: string; configuration: Written }> {
  let domain = '';
  const configuration = await editor.change((cluster) => {
    const planned = plan(ownConfig(cluster, config));
    domain = planned.domain;
    return planned.change;
  }, { by: nameOf(caller), message: 'domains' });
  return { domain, configuration };
}
