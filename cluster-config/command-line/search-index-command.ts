/** `waybill search-index …`: what is asked of the admin API, and how its answers are shown. */
import { counted } from '../../shared/base/counted.ts';
import { sizeText } from '../../shared/page/dates.ts';
import { searchIndexOperations } from '../admin/contract/search-index.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { followJob } from './follow-job.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

type Options = ApiOptions & { readonly json?: boolean };

const path = (node: string): string => `/nodes/${encodeURIComponent(node)}/search-index`;

const meanings = { off: 'no mailbox gets one', searched: 'mailboxes that somebody searches get one', all: 'all mailboxes get one' } as const;

/** @throws UsageError */
export async function searchIndexStatusText(node: string, options: Options): Promise<string> {
  const status = searchIndexOperations.showSearchIndex.answer.parse(await (await openApi(options)).ask(path(node)));
  if (options.json === true) return JSON.stringify(status, null, 2);
  const rows = status.storages.map(({ directory, mailboxes, messages, indexed, bytes, damaged }) => [directory, String(mailboxes), String(messages), String(Math.max(0, messages - indexed)), sizeText(bytes), String(damaged)]);
  return `${meanings[status.which]} (storage.textIndex: ${status.which})\n${table([['STORAGE', 'MAILBOXES', 'MESSAGES', 'NOT YET', 'SIZE', 'DAMAGED'], ...rows])}`;
}

/** @throws UsageError */
export async function searchIndexRebuildText(node: string, options: Options & { readonly account?: string }): Promise<string> {
  const { searchIndex } = await followJob({ node, path: '/search-index', body: options.account === undefined ? {} : { account: options.account } }, options);
  if (searchIndex === undefined) throw new UsageError(`${node} did not say what it has done`);
  if (options.json === true) return JSON.stringify(searchIndex, null, 2);
  const missing = searchIndex.missing === 0 ? '' : `; in no index, and looked into: ${String(searchIndex.missing)}`;
  return `indexed: ${counted(searchIndex.added, 'message')}${missing}`;
}

/** @throws UsageError */
export async function searchIndexDropText(node: string, options: Options): Promise<string> {
  const dropped = searchIndexOperations.dropSearchIndex.answer.parse(await (await openApi(options)).ask(path(node), { method: 'DELETE' }));
  if (options.json === true) return JSON.stringify(dropped, null, 2);
  return `the indexes of ${counted(dropped.mailboxes, 'mailbox', 'mailboxes')} were removed, ${sizeText(dropped.bytes)}`;
}
