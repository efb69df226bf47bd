/** Starts a move at the node where the account is to live, and follows it; a move that another command began is waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { streamFromNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';

const eventSchema = z.object({ step: z.string(), text: z.string(), atMs: z.number(), kind: z.string().optional(), ldif: z.string().optional() });
export type FollowedEvent = z.output<typeof eventSchema>;

export interface MoveRequest {
  readonly address: string;
  readonly target: AdminTarget;
  readonly from?: string | undefined;
  readonly purge: boolean;
  /** `abort`: what has come so far is thrown away. */
  readonly wish: 'move' | 'abort';
}

/** A step may take long where much mail is compared. */
const silenceMs = 30 * 60_000;
const busyPauseMs = 1000;

/** Resolves with the last event of a move that is done: `done`. @throws Failure of the move, or `backend-unavailable` when its node was lost */
export async function followMove(request: MoveRequest, onEvent: (event: FollowedEvent) => void): Promise<{ readonly byHand: string | undefined }> {
  for (;;) {
    const outcome = await followOnce(request, onEvent);
    if (outcome !== 'busy') return outcome;
    await sleep(busyPauseMs);
  }
}

async function followOnce({ address, target, from, purge, wish }: MoveRequest, onEvent: (event: FollowedEvent) => void): Promise<{ readonly byHand: string | undefined } | 'busy'> {
  let byHand: string | undefined;
  let last: FollowedEvent | undefined;
  let rest = '';
  for await (const piece of streamFromNode(target, { path: `/moves/start/${encodeURIComponent(address)}`, body: { from, purge, wish }, silenceMs })) {
    const lines = (rest + piece.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = eventSchema.parse(JSON.parse(line));
      last = event;
      if (!isBusy(event)) onEvent(event);
      byHand = event.ldif ?? byHand;
    }
  }
  if (last?.step === 'done') return { byHand };
  if (last !== undefined && isBusy(last) && wish === 'move') return 'busy';
  if (last?.step === 'failed') throw new Failure(last.kind === undefined || last.kind === 'internal' ? 'storage-failure' : (last.kind as FailureKind), last.text);
  throw new Failure('backend-unavailable', 'the node that works at the move was lost; run the command again');
}

/** Another process of that node works at this account. */
function isBusy({ step, kind }: FollowedEvent): boolean {
  return step === 'failed' && kind === 'in-use';
}
