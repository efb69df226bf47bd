/** The queue of a back-end over the admin API. */
import { queueOperations } from '../../cluster-config/admin/contract/queue.ts';
import type { queueItemSchema } from '../../cluster-config/admin/contract/queue.ts';
import { mayTouch } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import type { Concerned, Processing, QueueItem } from '../processing/processing.ts';
import type { z } from 'zod';
import { tellingFields } from './telling-fields.ts';

type QueueView = Pick<Processing, 'list' | 'control'>;

const batch = 500;

export function queueHandlers(processing: QueueView): readonly Handled[] {
  const { control: queue } = processing;
  const checked = (caller: Caller, id: string): QueueItem => {
    const item = queue.get(id);
    if (item === undefined || !concerns(caller, item)) throw gone(id);
    return item;
  };
  const act = async ({ caller, params, reply }: Pick<Call<{ readonly item: string }>, 'caller' | 'params' | 'reply'>, how: (id: string) => Promise<Concerned>): Promise<{ id: string; recipients: string[] }> => {
    const { sender } = checked(caller, params.item);
    const concerned = await how(params.item);
    if (concerned === undefined) throw gone(params.item);
    const recipients = concerned.map(({ address }) => address);
    reply.note({ sender: sender.address, recipients: recipients.slice(0, 20) });
    return { id: params.item, recipients };
  };
  return [
    handled(queueOperations.listQueue, async ({ query, caller }) => Promise.resolve(page(processing, query, caller))),
    handled(queueOperations.showQueued, async ({ params, caller }) => {
      const item = checked(caller, params.item);
      return { ...described(item), fields: tellingFields(await queue.beginning(item)) };
    }),
    handled(queueOperations.retryQueued, async (call) => act(call, async (id) => queue.retry(id))),
    handled(queueOperations.holdQueued, async (call) => act(call, async (id) => queue.hold(id))),
    handled(queueOperations.releaseQueued, async (call) => act(call, async (id) => queue.release(id))),
    handled(queueOperations.bounceQueued, async (call) => act(call, async (id) => queue.bounce(id, call.body.reason))),
    handled(queueOperations.deleteQueued, async (call) => act(call, async (id) => queue.remove(id))),
  ];
}

function gone(id: string): ApiRefusal {
  return new ApiRefusal(404, 'no-such-thing', { text: `no message ${id} is in the queue`, advice: 'It may have been delivered; list the queue again.' });
}

/** A domain administrator sees what comes from or goes to the domains. */
function concerns(caller: Caller, { sender, recipients }: QueueItem): boolean {
  return mayTouch(caller, sender.address) || recipients.some(({ address }) => mayTouch(caller, address));
}

interface Wanted {
  readonly sender?: string | undefined;
  readonly recipient?: string | undefined;
  readonly held?: 'yes' | 'no' | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

function page(queue: QueueView, wanted: Wanted, caller: Caller): { items: z.input<typeof queueItemSchema>[]; next?: string } {
  const found: QueueItem[] = [];
  let from = wanted.after === undefined ? '' : `${wanted.after}\0`;
  while (found.length <= wanted.limit) {
    const items = queue.list({ from, limit: batch });
    const last = items.at(-1);
    if (last === undefined) break;
    found.push(...items.filter((item) => fits(item, wanted) && concerns(caller, item)));
    from = `${last.id}\0`;
  }
  const items = found.slice(0, wanted.limit);
  const last = items.at(-1);
  return { items: items.map(described), ...(found.length > items.length && last !== undefined ? { next: last.id } : {}) };
}

function fits(item: QueueItem, { sender = '', recipient = '', held }: Wanted): boolean {
  const has = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());
  return has(item.sender.address, sender) && (recipient === '' || item.recipients.some(({ address }) => has(address, recipient))) && (held === undefined || (item.held ?? 'no') === held);
}

function described(item: QueueItem): z.input<typeof queueItemSchema> {
  return {
    id: item.id, sender: item.sender.address, acceptedAt: new Date(item.acceptedAtMs).toISOString(), bytes: item.place.length, held: item.held === 'yes',
    recipients: item.recipients.map(({ address, destination, state, tries, lastWords }) => ({
      address, destination, state: state.at, tries,
      ...(state.at === 'waiting' ? { dueAt: new Date(state.dueAtMs).toISOString(), why: state.why } : {}),
      ...(lastWords === undefined ? {} : { lastWords }),
    })),
  };
}
