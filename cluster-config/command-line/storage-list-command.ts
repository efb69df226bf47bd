/** `waybill storage detach|attach` over the admin API. */
import { z } from 'zod';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { counted } from '../../shared/base/counted.ts';

interface Place {
  readonly node: string;
  readonly folder: string;
}

const detachedSchema = z.object({ directory: z.string(), addresses: z.number(), files: z.enum(['let-go', 'in-use']) });
const attachedSchema = z.object({ directory: z.string(), storage: z.enum(['open', 'opening']), from: z.string().optional() });

/** @throws UsageError */
export async function storageDetachText({ node, folder }: Place, options: ApiOptions & { readonly forget?: true }): Promise<string> {
  const body = { directory: folder, ...(options.forget === true ? { addresses: 'forget' } : {}) };
  const { directory, addresses, files } = detachedSchema.parse(await post(node, { act: 'detach', body }, options));
  if (options.forget === true) return `${directory} is forgotten, with its ${counted(addresses, 'address', 'addresses')}`;
  return `${directory} is taken out of ${node}: its ${counted(addresses, 'address', 'addresses')} can not be had for the time being\n${files === 'let-go' ? 'Its files are let go.' : `Some of its files are open still; waybill storage stats ${node} says when they are let go.`}`;
}

/** @throws UsageError */
export async function storageAttachText({ node, folder }: Place, options: ApiOptions): Promise<string> {
  const { directory, storage, from } = attachedSchema.parse(await post(node, { act: 'attach', body: { directory: folder } }, options));
  const held = from === undefined ? '' : `\nIt was ${from}'s: each account is held until no other back-end has it and the directory names ${node}.\nWhere waybill storage stats ${from} shows it as detached still: waybill storage detach ${from} FOLDER --forget`;
  return storage === 'open' ? `${directory} is taken into ${node}, and in use${held}` : `${directory} is being taken into ${node}: waybill storage stats ${node} says when it is in use, or has it no more when it can not be opened${held}`;
}

async function post(node: string, { act, body }: { readonly act: 'detach' | 'attach'; readonly body: object }, options: ApiOptions): Promise<unknown> {
  return (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/storages/${act}`, { method: 'POST', body });
}
