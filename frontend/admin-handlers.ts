/** What a front-end does of the admin API, for all of its workers: live sessions, the word of the mapping on an address. */
import { accountOperations } from '../cluster-config/admin/contract/accounts.ts';
import { nodeSessionsSchema, sessionsOperations } from '../cluster-config/admin/contract/sessions.ts';
import { demandOwnSessions } from '../cluster-config/admin/sessions-handlers.ts';
import type { SessionQuestion } from '../cluster-config/admin/sessions-handlers.ts';
import { mayTouch } from '../shared/admin-api/caller.ts';
import { handled } from '../shared/admin-api/operation.ts';
import type { Handled } from '../shared/admin-api/operation.ts';
import type { Logger } from '../shared/log/log.ts';
import { askAll } from '../shared/service/siblings.ts';
import type { Siblings } from '../shared/service/siblings.ts';
import { describe } from './admin-routes.ts';
import { matcher } from './login/session-set.ts';
import type { Mappings } from './mappings.ts';

export function adminHandlers(mappings: Mappings, siblings: Siblings, log: Logger): readonly Handled[] {
  const sessions = async (topic: 'list' | 'kick', { account, address, backend }: SessionQuestion): Promise<ReturnType<typeof nodeSessionsSchema.parse>> => {
    const question = { ...(account === undefined ? {} : { account }), ...(address === undefined ? {} : { address }), ...(backend === undefined ? {} : { node: backend }) };
    matcher(question); // a bad address is told before anything is cut
    const answers = await askAll(siblings, topic, question);
    return nodeSessionsSchema.parse({ sessions: answers.flat().filter((one) => one !== null) });
  };
  return [
    handled(sessionsOperations.listNodeSessions, async ({ query, caller }) => {
      const { sessions: all } = await sessions('list', query);
      return { sessions: all.filter(({ account }) => mayTouch(caller, account ?? '')) };
    }),
    handled(sessionsOperations.kickNodeSessions, async ({ body, caller, reply }) => {
      demandOwnSessions(caller, body);
      reply.note({ ...body });
      const cut = await sessions('kick', body);
      log.warn({ ...body, sessions: cut.sessions.length }, 'sessions kicked by an administrator');
      reply.note({ cut: cut.sessions.length });
      return cut;
    }),
    handled(accountOperations.showRoute, async ({ params, query }) => ({ kind: 'unknown', ...await describe(mappings.of(query.service), params.address) })),
    handled(accountOperations.forgetNodeRoute, async ({ params }) => ({ workers: (await askAll(siblings, 'forget', { address: params.address })).length })),
  ];
}
