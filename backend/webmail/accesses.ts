/** What administrators did to the account, for its owner. */
import { sortOfAct } from '../../shared/admin-api/act-sorts.ts';
import { sendJson } from '../../shared/http/refusals.ts';
import type { AccessesView } from './api.ts';
import type { Call } from './call.ts';

export async function listAccesses({ account, exchange }: Call): Promise<void> {
  const view: AccessesView = {
    acts: account.acts().toReversed().flatMap(({ time, who, from, what }) => {
      const sort = sortOfAct(what); // undefined for what a newer node knows
      return sort === undefined ? [] : [{ time, who, from, sort }];
    }),
  };
  sendJson(exchange.response, 200, view);
  return Promise.resolve();
}
