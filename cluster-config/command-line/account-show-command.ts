/** `waybill account show`: what the directory and every back-end say of an account, asked of the admin API. */
import type { z } from 'zod';
import { accountOperations } from '../admin/contract/accounts.ts';
import type { recordSchema } from '../admin/contract/accounts.ts';
import { stateText } from './account-life-command.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { counted } from '../../shared/base/counted.ts';

type NodeRecord = z.output<typeof recordSchema>;

/** @throws Failure, UsageError */
export async function accountShowText(given: string, options: ApiOptions & { readonly json?: boolean }): Promise<string> {
  const api = await openApi(options);
  const shown = accountOperations.showAccount.answer.parse(await api.ask(`/accounts/${encodeURIComponent(await api.complete(given))}`));
  const { address, directory, records } = shown;
  if (options.json === true) return JSON.stringify({ ...shown, directory: directory ?? null });
  const entry = directory === undefined ? 'no such entry' : `${directory.mailHost ?? 'no host'}${directory.node === undefined ? ' (no node of this cluster)' : ''}, ${directory.dn ?? `a line of the map ${directory.map}`}`;
  const rows = [['address', address], ['directory', entry], ...Object.entries(records).flatMap(([node, record]) => [[node, recordText(record)], ...keptRows(record)])];
  return rows.map(([name = '', text = '']) => `${name.padEnd(10)} ${text}`).join('\n');
}

function keptRows({ account }: NodeRecord): readonly (readonly [string, string])[] {
  if (account === undefined) return [];
  const limit = (most: number, unit: string): string => (most === 0 ? `no limit of ${unit}` : `at most ${String(most)} ${unit}`);
  return [
    ['', `${stateText(account)}; ${(account.services ?? ['all services']).join(', ')}; ${limit(account.bytesLimit, 'bytes')}, ${limit(account.messagesLimit, 'messages')}`],
    ...(account.aliases.length === 0 ? [] : [['', `also ${account.aliases.join(', ')}`] as const]),
  ];
}

function standingText(standing: string | undefined): string {
  if (standing === 'held') return '; held: a move of it ends, or it is not known yet whose it is';
  return standing === 'barred' ? '; disabled' : '';
}

function recordText(record: NodeRecord): string {
  const epoch = `epoch ${String(record.epoch)}`;
  if (record.at === 'silent') return 'does not answer';
  if (record.at === 'away') return 'has it in a storage that is taken out';
  if (record.at === 'live') return `owns it (${epoch}): ${counted(record.messages ?? 0, 'message')}, ${String(record.bytes)} bytes${standingText(record.standing)}`;
  if (record.at === 'moved') return `gave it to ${record.node ?? '?'} (${epoch})${record.left === 'none' ? '' : `; its mail lies here still, ${record.left ?? ''}`}`;
  if (record.at === 'arriving') return `takes it over from ${record.node ?? '?'} (${epoch}, ${record.stage ?? ''})${record.worker === 'gone' ? '; nobody works at it: run the move again' : ''}`;
  if (record.at === 'withdrawn') return `keeps its mail, out of use since ${new Date(record.atMs ?? 0).toISOString()}: ${record.why === 'deleted' ? 'deleted' : 'its directory entry is gone'}`;
  return 'nothing';
}
