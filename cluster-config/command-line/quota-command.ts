/** `waybill account quota`: limits of an account's own. */
import { definite } from '../../shared/base/definite.ts';
import { accountLifeOperations } from '../admin/contract/account-life.ts';
import { accountOperations } from '../admin/contract/accounts.ts';
import { askFor } from './account-life-command.ts';
import type { ActOutcome } from './account-life-command.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { UsageError } from './usage-error.ts';

export interface QuotaOptions extends ApiOptions {
  readonly kilobytes?: string;
  readonly messages?: string;
}

/** What is not named stays as it is. @throws Failure, UsageError */
export async function setQuota(given: string, { kilobytes, messages, ...options }: QuotaOptions): Promise<ActOutcome> {
  if (kilobytes === undefined && messages === undefined) throw new UsageError('say how much: --kilobytes or --messages');
  const wanted = { maxKilobytes: limitOf('--kilobytes', kilobytes), maxMessages: limitOf('--messages', messages) };
  const api = await openApi(options);
  const address = await api.complete(given);
  const { records } = accountOperations.showAccount.answer.parse(await api.ask(`/accounts/${encodeURIComponent(address)}`));
  const present = Object.values(records).find(({ account }) => account !== undefined)?.account?.ownQuota ?? {};
  const body = accountLifeOperations.setQuota.body.parse(Object.fromEntries(Object.entries({ ...present, ...definite(wanted) }).filter(([, limit]) => limit !== 'default')));
  return askFor(api, address, { path: '/quota', method: 'PUT', body, say: (whole) => `${whole} may hold ${amount(body.maxKilobytes, 'kilobytes')} and ${amount(body.maxMessages, 'messages')}` });
}

function limitOf(option: string, text: string | undefined): number | 'default' | undefined {
  if (text === undefined || text === 'default') return text;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0 || text.trim() === '') throw new UsageError(`${option} is a whole number from 0, or "default"`);
  return number;
}

function amount(limit: number | undefined, unit: string): string {
  if (limit === undefined) return `as many ${unit} as others of its domain`;
  return limit === 0 ? `any number of ${unit}` : `${String(limit)} ${unit}`;
}
