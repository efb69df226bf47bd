/** `waybill storage detach|attach` over the admin API. */
import { z } from 'zod';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';

interface Place {
  readonly node: string;
  readonly folder: string;
}

const detachedSchema = z.object({ directory: z.string(), addresses: z.number() });
const attachedSchema = z.object({ directory: z.string(), from: z.string().optional() });

/** @throws UsageError */
export async function storageDetachText({ node, folder }: Place, options: ApiOptions & { readonly forget?: true }): Promise<string> {
  const body = { directory: folder, ...(options.forget === true ? { addresses: 'forget' } : {}) };
  const { directory, addresses } = detachedSchema.parse(await post(node, { act: 'detach', body }, options));
  if (options.forget === true) return `the ${String(addresses)} addresses of ${directory} are forgotten when the node is restarted: waybill node restart ${node}`;
  return `${directory} is taken out of ${node}: its ${String(addresses)} addresses can not be had for the time being\nThe node lets go of its files by: waybill node restart ${node}`;
}

/** @throws UsageError */
export async function storageAttachText({ node, folder }: Place, options: ApiOptions): Promise<string> {
  const { directory, from } = attachedSchema.parse(await post(node, { act: 'attach', body: { directory: folder } }, options));
  const held = from === undefined ? '' : `It was ${from}'s: each account is held until no other back-end has it and the directory names ${node}.\n`;
  return `${directory} is taken into ${node}\n${held}It is opened by: waybill node restart ${node}`;
}

async function post(node: string, { act, body }: { readonly act: 'detach' | 'attach'; readonly body: object }, options: ApiOptions): Promise<unknown> {
  return (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/storages/${act}`, { method: 'POST', body });
}
