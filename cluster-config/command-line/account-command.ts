/** `waybill account move`: the command starts and follows, the nodes do the work. */
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions } from './cluster-view.ts';
import { openApi } from './api-client.ts';
import type { ServerOptions } from './api-client.ts';
import { followMove } from './follow-move.ts';
import { followMoveByApi } from './follow-move-api.ts';
import type { FollowedEvent } from './follow-move.ts';

export interface AccountMoveOptions extends ClusterOptions, ServerOptions {
  readonly from?: string;
  readonly purge?: boolean;
  readonly abort?: boolean;
  readonly json?: boolean;
}

/** @param say gets lines as they come. Answers the exit code: 0, or 2 when the directory is to be changed by hand. @throws Failure, UsageError */
export async function accountMove(request: { readonly address: string; readonly node: string }, options: AccountMoveOptions, say: (text: string) => void): Promise<number> {
  const wanted = { from: options.from, purge: options.purge === true, wish: options.abort === true ? 'abort' : 'move' } as const;
  const began = Date.now();
  const tell = (event: FollowedEvent): void => say(eventText(event, { began, json: options.json === true }));
  const { byHand } = options.server === undefined
    ? await withCluster(options, async (view) => {
      if (options.from !== undefined) view.target(options.from); // a name nobody has is told before anything begins
      return followMove({ ...wanted, address: view.complete(request.address), target: view.target(request.node) }, tell);
    })
    : await followMoveByApi({ ...wanted, ...request }, await openApi(options), tell);
  if (byHand === undefined) return 0;
  if (options.json !== true) say(`\nThe directory is to be changed by hand, for example with\n\n  ldapmodify -H URI -D WHO -W <<END\n${byHand.trimEnd()}\nEND\n\nThen run this command again, to see that all is well.`);
  return 2;
}

/** One line: seconds since the start, the step, what happened. */
export function eventText(event: FollowedEvent, { began, json }: { readonly began: number; readonly json: boolean }): string {
  if (json) return JSON.stringify(event);
  return `${((event.atMs - began) / 1000).toFixed(2).padStart(8)} s  ${event.step.padEnd(10)} ${event.text}`;
}
