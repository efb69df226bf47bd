/** Live sessions of all front-ends, listed and cut by whichever node is asked. */
import { mayTouch } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { NodeConfig } from '../effective.ts';
import { nodeSessionsSchema, sessionsOperations } from './contract/sessions.ts';
import { askFrontends } from './nodes-asked.ts';

export interface SessionQuestion {
  readonly account?: string | undefined;
  readonly address?: string | undefined;
  readonly backend?: string | undefined;
}

export function sessionsHandlers(config: NodeConfig): readonly Handled[] {
  return [
    handled(sessionsOperations.listSessions, async (call) => {
      const query = new URLSearchParams(Object.entries(call.query).filter((pair): pair is [string, string] => pair[1] !== undefined)).toString();
      return everywhere(config, call, { path: (node) => `/nodes/${node}/sessions${query === '' ? '' : `?${query}`}` });
    }),
    handled(sessionsOperations.kickSessions, async (call) => {
      const { body, caller, reply } = call;
      demandOwnSessions(caller, body);
      reply.note({ ...body });
      const answer = await everywhere(config, call, { path: (node) => `/nodes/${node}/sessions/kick`, request: { method: 'POST', body } });
      reply.note({ cut: answer.sessions.length });
      // Of an account that is named alone all is to end: its page would be back at once.
      const whole = body.address === undefined && body.backend === undefined ? body.account : undefined;
      return { ...answer, silent: [...answer.silent, ...(whole === undefined ? [] : await signOut(call, whole))] };
    }),
  ];
}

/** A domain administrator cuts sessions of accounts only, by name. */
export function demandOwnSessions(caller: Caller, { account }: SessionQuestion): void {
  const isLimited = caller.who.kind === 'administrator' && caller.who.administrator.domains.length > 0;
  if (isLimited && (account === undefined || !mayTouch(caller, account))) throw new Failure('forbidden', 'an administrator of domains names an account of one of them');
}

type Everywhere = { sessions: ({ frontend: string } & ReturnType<typeof nodeSessionsSchema.parse>['sessions'][number])[]; silent: { node: string; reason: string }[] };

async function everywhere(config: NodeConfig, call: Pick<Call, 'ask'>, question: Pick<Parameters<typeof askFrontends>[2], 'path' | 'request'>): Promise<Everywhere> {
  const { answers, silent } = await askFrontends(config, call, { ...question, read: (answer) => nodeSessionsSchema.parse(answer) });
  return { sessions: answers.flatMap(({ node, answer }) => answer.sessions.map((facts) => ({ ...facts, frontend: node }))), silent };
}

/** Cookies of WebMail live at the back-end that keeps the account; one that has none anywhere has no such session. Answers who could not be told. */
async function signOut({ askKeeper }: Pick<Call, 'askKeeper'>, account: string): Promise<{ node: string; reason: string }[]> {
  try {
    await askKeeper(account, `/accounts/${encodeURIComponent(account)}/sign-out`, { method: 'POST' });
    return [];
  } catch (error) {
    if (isFailure(error, 'unknown-user')) return [];
    if (isFailure(error, 'backend-unavailable')) return [{ node: error.node ?? 'the back-end of the account', reason: `${error.message}: WebMail sign-ins may go on` }];
    throw error;
  }
}
