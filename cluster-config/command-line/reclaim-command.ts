/** `waybill account reclaim`: takes an account back whose move target died after the seal. */
import { accountOperations } from '../admin/contract/accounts.ts';
import { byHandText } from './account-life-command.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';

export interface ReclaimOptions extends ApiOptions {
  readonly node: string;
  readonly gone: string;
  readonly json?: boolean;
}

/** @throws Failure, UsageError: nothing changed */
export async function accountReclaim(given: string, { node, gone, json, ...options }: ReclaimOptions): Promise<{ readonly text: string; readonly exitCode: 0 | 2 }> {
  const api = await openApi(options);
  const address = await api.complete(given);
  const done = accountOperations.reclaimAccount.answer.parse(await api.ask(`/nodes/${encodeURIComponent(node)}/accounts/${encodeURIComponent(address)}/reclaim`, { method: 'POST', body: { from: gone, stopped: 'yes' } }));
  const text = [`${address} lives on ${done.node} again (epoch ${String(done.epoch)}); what came to it at ${gone} is not there`, ...byHandText(done.ldif)].join('\n');
  return { text: json === true ? JSON.stringify(done) : text, exitCode: done.ldif === undefined ? 0 : 2 };
}
