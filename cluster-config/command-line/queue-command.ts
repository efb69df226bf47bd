/** `waybill queue …`: what is asked of the admin API, and how its answers are shown. */
import { z } from 'zod';
import { queueItemSchema } from '../admin/contract/queue.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { table } from './table.ts';

export interface QueueListOptions extends ApiOptions {
  readonly sender?: string;
  readonly recipient?: string;
  readonly held?: boolean;
  readonly json?: boolean;
}

const pageSchema = z.object({ items: z.array(queueItemSchema), next: z.string().optional() });
const shownSchema = queueItemSchema.extend({ fields: z.array(z.object({ name: z.string(), value: z.string() })) });
const concernedSchema = z.object({ id: z.string(), recipients: z.array(z.string()) });

/** All queued messages that fit. @throws UsageError */
export async function queueListText(node: string, options: QueueListOptions): Promise<string> {
  const api = await openApi(options);
  const items: z.output<typeof queueItemSchema>[] = [];
  let after: string | undefined;
  do {
    const query = new URLSearchParams({
      ...(options.sender === undefined ? {} : { sender: options.sender }), ...(options.recipient === undefined ? {} : { recipient: options.recipient }),
      ...(options.held === true ? { held: 'yes' } : {}), ...(after === undefined ? {} : { after }), limit: '500',
    });
    const page = pageSchema.parse(await api.ask(`/nodes/${encodeURIComponent(node)}/queue?${query.toString()}`));
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  if (options.json === true) return JSON.stringify(items, null, 2);
  if (items.length === 0) return 'no such message is in the queue';
  const rows = items.map(({ id, acceptedAt, sender, recipients, held }) => {
    const waiting = recipients.filter(({ state }) => state === 'waiting');
    return [id, acceptedAt, sender === '' ? '(report)' : sender, waiting.map(({ address }) => address).join(' '), held ? 'held' : (waiting[0]?.dueAt ?? ''), waiting[0]?.lastWords ?? ''];
  });
  return table([['ID', 'SINCE', 'SENDER', 'WAITS FOR', 'NEXT TRY', 'LAST WORDS'], ...rows]);
}

/** One of them. @throws UsageError */
export async function queueShowText(place: { readonly node: string; readonly item: string }, options: ApiOptions): Promise<string> {
  const { id, sender, acceptedAt, bytes, held, recipients, fields } = shownSchema.parse(await (await openApi(options)).ask(itemPath(place)));
  const head = [['id', id], ['since', acceptedAt], ['sender', sender === '' ? '(report)' : sender], ['size', `${String(bytes)} bytes`], ['held', held ? 'yes' : 'no'], ...fields.map(({ name, value }) => [name, value])];
  const rows = recipients.map(({ address, destination, state, tries, dueAt = '', lastWords = '' }) => [address, destination, state, String(tries), dueAt, lastWords]);
  return `${head.map(([name = '', value = '']) => `${name.padEnd(12)}${value}`).join('\n')}\n\n${table([['RECIPIENT', 'GOES TO', 'STATE', 'TRIES', 'NEXT TRY', 'LAST WORDS'], ...rows])}`;
}

const doneWords = { retry: 'is tried now', hold: 'is held', release: 'goes on', bounce: 'is given up; its sender gets a report', delete: 'is deleted' } as const;
export type QueueAct = keyof typeof doneWords;

/** Does it. @throws UsageError */
export async function queueActText(act: QueueAct, place: { readonly node: string; readonly item: string }, options: ApiOptions & { readonly reason?: string }): Promise<string> {
  const api = await openApi(options);
  const question = act === 'delete' ? { method: 'DELETE' } as const : { method: 'POST', ...(act === 'bounce' ? { body: options.reason === undefined ? {} : { reason: options.reason } } : {}) } as const;
  const { id, recipients } = concernedSchema.parse(await api.ask(act === 'delete' ? itemPath(place) : `${itemPath(place)}/${act}`, question));
  return `${id} ${doneWords[act]}: ${recipients.length === 0 ? 'nobody waited for it' : recipients.join(' ')}`;
}

function itemPath({ node, item }: { readonly node: string; readonly item: string }): string {
  return `/nodes/${encodeURIComponent(node)}/queue/${encodeURIComponent(item)}`;
}
