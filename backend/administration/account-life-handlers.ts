/** The life of accounts over the admin API, at the back-end that has the record: what `AccountAdministration` does, and front-ends hear of it. */
import { tellFrontends } from '../../cluster-config/admin/address-news.ts';
import type { AddressNews } from '../../cluster-config/admin/address-news.ts';
import { accountLifeOperations } from '../../cluster-config/admin/contract/account-life.ts';
import type { doneSchema } from '../../cluster-config/admin/contract/account-life.ts';
import { limitsOfQuota } from '../../cluster-config/domain-settings.ts';
import { demandAddress, nameOf } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { z } from 'zod';
import type { AccountAdministration, Done } from '../accounts/accounts.ts';

export interface AccountLifeGround {
  readonly nodeName: string;
  readonly administration: AccountAdministration;
  readonly frontends: Readonly<Record<string, AdminTarget | undefined>>;
}

type Act = Pick<Call<{ readonly address: string }>, 'params' | 'caller'>;
type Told = z.input<typeof doneSchema>;

export function accountLifeHandlers(ground: AccountLifeGround): readonly Handled[] {
  const { administration } = ground;
  const done = async ({ params: { address } }: Pick<Act, 'params'>, { notes, ldif }: Done, news: Omit<AddressNews, 'addresses'> & { readonly also?: readonly string[] }): Promise<Told> => {
    const silent = await tellFrontends(ground.frontends, { addresses: [address, ...(news.also ?? [])], sessions: news.sessions });
    return { address, node: ground.nodeName, notes: [...notes], silent, ...(ldif === undefined ? {} : { ldif }) };
  };
  const by = ({ caller }: Pick<Act, 'caller'>): string => nameOf(caller);
  return [
    handled(accountLifeOperations.setAccountTerms, async (call) => {
      call.reply.note({ ...call.body });
      const sessions = call.body.status === 'active' && call.body.services === undefined ? 'stay' : 'end';
      return done(call, await administration.setTerms(call.params.address, call.body, by(call)), { sessions });
    }),
    handled(accountLifeOperations.renameAccount, async (call) => {
      const { body: { to, oldAddress }, caller } = call;
      call.reply.note({ to, oldAddress });
      demandAddress(caller, to);
      return done(call, await administration.rename(call.params.address, { to, oldAddress }, by(call)), { sessions: 'end', also: [to] });
    }),
    handled(accountLifeOperations.deleteAccount, async (call) => {
      const { purge } = call.query;
      if (purge === 'no') return done(call, await administration.delete(call.params.address, by(call)), { sessions: 'end' });
      call.reply.note({ purge });
      return done(call, await removeForGood(administration, call.params.address, by(call)), { sessions: 'end' });
    }),
    handled(accountLifeOperations.undeleteAccount, async (call) => done(call, await administration.undelete(call.params.address, by(call)), { sessions: 'stay' })),
    handled(accountLifeOperations.addAlias, async (call) => {
      const { params: { address }, body: { alias }, caller } = call;
      call.reply.note({ alias });
      demandAddress(caller, alias);
      return done(call, await administration.addAlias(address, alias, by(call)), { sessions: 'stay', also: [alias] });
    }),
    handled(accountLifeOperations.removeAlias, async (call) => {
      const { address, alias } = call.params;
      return done(call, await administration.removeAlias(address, alias, by(call)), { sessions: 'stay', also: [alias] });
    }),
    handled(accountLifeOperations.setQuota, async (call) => {
      call.reply.note({ ...call.body });
      return done(call, await administration.setLimits(call.params.address, limitsOfQuota(call.body), by(call)), { sessions: 'stay' });
    }),
  ];
}

/** What is in use is taken out of use first; where the directory is to be changed by hand for that, it stays with that. */
async function removeForGood(administration: AccountAdministration, address: string, by: string): Promise<Done> {
  if (administration.isInUse(address)) {
    const deleted = await administration.delete(address, by);
    if (deleted.ldif !== undefined) return deleted;
  }
  return administration.purge(address, by);
}
