/** `waybill session list|kick` and `waybill map flush`: what is done at all front-ends at once, asked of the admin API. */
import { accountOperations } from '../admin/contract/accounts.ts';
import { sessionsOperations } from '../admin/contract/sessions.ts';
import { openApi } from './api-client.ts';
import type { ApiClient, ApiOptions } from './api-client.ts';
import type { NodesText } from './ask-nodes.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface SessionOptions extends ApiOptions {
  readonly user?: string;
  readonly address?: string;
  readonly node?: string;
  readonly json?: boolean;
}

/** The live sessions that fit the options, of all front-ends. @throws ConfigurationRefused, Failure, UsageError */
export async function sessionListText(options: SessionOptions): Promise<NodesText> {
  const api = await openApi(options);
  const query = new URLSearchParams(await filterOf(api, options)).toString();
  return listText(await api.ask(`/sessions${query === '' ? '' : `?${query}`}`), options);
}

/** Cuts them; of a user who is named alone the WebMail sign-ins end, too, or the pages would come back at once. @throws UsageError when nothing says which ones */
export async function sessionKickText(options: SessionOptions): Promise<NodesText> {
  if ([options.user, options.address, options.node].every((one) => one === undefined)) throw new UsageError('say whom to kick: --user, --address or --node');
  const api = await openApi(options);
  return listText(await api.ask('/sessions/kick', { method: 'POST', body: await filterOf(api, options) }), options);
}

/** Makes all front-ends ask the directory about this address again. */
export async function mapFlushText(given: string, options: ApiOptions): Promise<NodesText> {
  const api = await openApi(options);
  const address = await api.complete(given);
  const { frontends, silent } = accountOperations.forgetRoute.answer.parse(await api.ask(`/map/${encodeURIComponent(address)}/forget`, { method: 'POST' }));
  return { text: frontends.length === 0 ? '' : `${address} is forgotten by ${frontends.join(', ')}`, complaints: silent.map(({ node, reason }) => complaintOf(node, reason)) };
}

async function filterOf(api: ApiClient, { user, address, node }: SessionOptions): Promise<Record<string, string>> {
  return {
    ...(user === undefined ? {} : { account: await api.complete(user) }),
    ...(address === undefined ? {} : { address }),
    ...(node === undefined ? {} : { backend: node }),
  };
}

function listText(answer: unknown, { json }: SessionOptions): NodesText {
  const { sessions, silent } = sessionsOperations.listSessions.answer.parse(answer);
  const complaints = silent.map(({ node, reason }) => complaintOf(node, reason));
  if (json === true) return { text: JSON.stringify({ sessions, complaints }, null, 2), complaints };
  const rows = sessions.map(({ frontend, service, account = '(not logged in)', client, nodes, since, session }) => [frontend, service, account, client, nodes.join(', '), since, session]);
  return { text: sessions.length === 0 ? 'no such session' : table([['FRONT-END', 'SERVICE', 'ACCOUNT', 'CLIENT', 'BACK-END', 'SINCE', 'SESSION'], ...rows]), complaints };
}

/** A reason that names the node says it all. */
export function complaintOf(node: string, reason: string): string {
  return reason.startsWith(node) ? reason : `${node}: ${reason}`;
}
