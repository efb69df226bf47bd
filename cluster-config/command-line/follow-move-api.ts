/** Starts a move over the admin API and follows it, for administrators who ask from elsewhere, without a node's certificate. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import { moveSchema } from '../admin/contract/accounts.ts';
import type { ApiClient } from './api-client.ts';
import type { FollowedEvent, MoveRequest } from './follow-move.ts';
import { looks } from './looks.ts';

export type MoveByApi = Omit<MoveRequest, 'target'> & {
  /** Where the account is to live. */
  readonly node: string;
};

type Move = z.output<typeof moveSchema>;

const busyPauseMs = 1000;

/** As `followMove`. @throws UsageError as well, with the words of a refusal */
export async function followMoveByApi(request: MoveByApi, api: ApiClient, onEvent: (event: FollowedEvent) => void): Promise<{ readonly byHand: string | undefined }> {
  const path = `/nodes/${encodeURIComponent(request.node)}/accounts/${encodeURIComponent(await api.complete(request.address))}/move`;
  for (;;) {
    const move = await followOnce(api, path, { request, onEvent });
    const last = move.events.at(-1);
    if (move.state === 'done') return { byHand: move.events.findLast(({ ldif }) => ldif !== undefined)?.ldif };
    if (last === undefined) throw new Failure('backend-unavailable', 'the node that works at the move was lost; run the command again');
    if (last.kind !== 'in-use' || request.wish === 'abort') throw new Failure(last.kind === undefined || last.kind === 'internal' ? 'storage-failure' : (last.kind as FailureKind), last.text);
    await sleep(busyPauseMs); // another command's move
  }
}

/** The move when it is over, in whatever way. */
async function followOnce(api: ApiClient, path: string, { request: { from, purge, wish }, onEvent }: { readonly request: MoveByApi; readonly onEvent: (event: FollowedEvent) => void }): Promise<Move> {
  const begun = moveSchema.parse(await api.ask(path, wish === 'abort' ? { method: 'DELETE' } : { method: 'POST', body: { ...(from === undefined ? {} : { from }), purge } }));
  let told = 0;
  const tell = (move: Move): void => {
    for (const { at, ...event } of move.events.slice(told)) if (event.kind !== 'in-use') onEvent({ ...event, atMs: Date.parse(at) });
    told = Math.max(told, move.events.length);
  };
  tell(begun);
  if (begun.state !== 'running') return begun;
  for await (const move of looks(api, path, moveSchema)) {
    tell(move);
    if (move.state !== 'running') return move;
  }
  throw new Failure('backend-unavailable', 'the node that works at the move does not answer; run the command again');
}
