/** Moves of accounts to this back-end, begun and followed over the admin API, whichever worker does them. */
import { z } from 'zod';
import { accountOperations } from '../../cluster-config/admin/contract/accounts.ts';
import type { moveSchema } from '../../cluster-config/admin/contract/accounts.ts';
import { pageOf } from '../../cluster-config/admin/paging.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { askAll } from '../../shared/service/siblings.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import type { AccountMoves, MoveEvent } from '../account-move/account-move.ts';

const topic = 'moves told';
const toldSchema = z.array(z.object({ step: z.string(), text: z.string(), atMs: z.number(), kind: z.string().optional(), ldif: z.string().optional() }));
type Move = z.input<typeof moveSchema>;

export function moveHandlers(moves: AccountMoves, siblings: Siblings): readonly Handled[] {
  siblings.answer(topic, (address) => moves.told()[String(address)] ?? null);
  const look = async (address: string): Promise<Move> => described(await askAll(siblings, topic, address));
  return [
    handled(accountOperations.startMove, async ({ params, body, reply }) => {
      reply.note({ ...body });
      return look(await moves.begin(params.address, { from: body.from, purge: body.purge, wish: 'move' }));
    }),
    handled(accountOperations.listHoldings, async ({ query }) => {
      const { live, arriving, left } = moves.overview();
      const { items, total, next } = pageOf(live.toSorted(), query, { key: (address) => address, texts: (address) => [address] });
      const isFirst = query.after === undefined;
      return Promise.resolve({ live: [...items], total, ...(next === undefined ? {} : { next }), arriving: isFirst ? arriving : [], left: isFirst ? left : [] });
    }),
    handled(accountOperations.showMove, async ({ params }) => look(params.address)),
    handled(accountOperations.reclaimAccount, async ({ params: { node, address }, body: { from }, reply }) => {
      reply.note({ from });
      const { epoch, directory } = await moves.reclaim(address, from);
      return { address, node, epoch, ...(directory !== 'no such entry' && directory.kind === 'by-hand' ? { ldif: directory.ldif } : {}) };
    }),
    handled(accountOperations.abortMove, async ({ params }) => look(await moves.begin(params.address, { purge: false, wish: 'abort' }))),
  ];
}

/** The one that began last counts: of an address there may be a move and its giving up. */
function described(answers: readonly unknown[]): Move {
  const told = answers.flatMap((answer): { readonly events: readonly Pick<MoveEvent, 'text' | 'atMs'>[] }[] => {
    const parsed = toldSchema.safeParse(answer);
    return parsed.success ? [{ events: parsed.data }] : [];
  });
  const latest = told.sort((one, other) => (other.events[0]?.atMs ?? Infinity) - (one.events[0]?.atMs ?? Infinity))[0];
  if (latest === undefined) return { state: 'unknown', events: [] };
  const events = toldSchema.parse(latest.events);
  const last = events.at(-1)?.step;
  return {
    state: last === 'done' || last === 'failed' ? last : 'running',
    events: events.map(({ atMs, ...event }) => ({ ...event, at: new Date(atMs).toISOString() })),
  };
}
