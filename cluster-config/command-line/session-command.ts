/** `waybill session list|kick` and `waybill map flush`: what is done at all front-ends of a configuration at once. */
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import type { ClusterConfig } from '../load.ts';
import { loadConfig } from './load-config.ts';
import { askNodes, complaintsOf } from './ask-nodes.ts';
import type { NodesText } from './ask-nodes.ts';
import type { NodeSaid } from '../node-said.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface SessionOptions {
  readonly config: string;
  readonly user?: string;
  readonly address?: string;
  readonly node?: string;
  readonly json?: boolean;
}

const sessionFacts = z.object({
  session: z.string(), service: z.string(), client: z.string(), account: z.string().optional(), nodes: z.array(z.string()), since: z.string(),
});
const sessionsAnswer = z.object({ sessions: z.array(sessionFacts) });

type Listed = z.output<typeof sessionFacts> & { readonly frontend: string };

/** The live sessions that fit the options, of all front-ends. @throws ConfigurationRefused, Failure */
export async function sessionListText(options: SessionOptions): Promise<NodesText> {
  const config = await loadConfig(options.config);
  const query = new URLSearchParams(filterOf(config, options)).toString();
  return listText(await askNodes(config, ['frontend'], { path: `/sessions${query === '' ? '' : `?${query}`}` }), options);
}

/** Cuts them; of a user who is named alone the WebMail sign-ins end, too, or the pages would come back at once. @throws UsageError when nothing says which ones */
export async function sessionKickText(options: SessionOptions): Promise<NodesText> {
  const config = await loadConfig(options.config);
  const filter = filterOf(config, options);
  if (Object.keys(filter).length === 0) throw new UsageError('say whom to kick: --user, --address or --node');
  const kicked = listText(await askNodes(config, ['frontend'], { path: '/sessions/kick', body: filter }), options);
  const { account, ...others } = filter;
  if (account === undefined || Object.keys(others).length > 0) return kicked;
  const ended = await askNodes(config, ['backend'], { path: `/webmail-sessions/end/${encodeURIComponent(account)}`, body: {} });
  return { ...kicked, complaints: [...kicked.complaints, ...complaintsOf(ended).map((complaint) => `${complaint}: WebMail sign-ins may go on`)] };
}

/** Makes all front-ends ask the directory about this address again. */
export async function mapFlushText(address: string, options: { readonly config: string }): Promise<NodesText> {
  const config = await loadConfig(options.config);
  const said = await askNodes(config, ['frontend'], { path: '/map-flush', body: { address: complete(config, address) } });
  const flushed = said.filter((one) => 'answer' in one).map(({ node }) => node);
  return { text: flushed.length === 0 ? '' : `${complete(config, address)} is forgotten by ${flushed.join(', ')}`, complaints: complaintsOf(said) };
}

function filterOf(config: ClusterConfig, { user, address, node }: SessionOptions): Record<string, string> {
  return {
    ...(user === undefined ? {} : { account: complete(config, user) }),
    ...(address === undefined ? {} : { address }),
    ...(node === undefined ? {} : { node }),
  };
}

/** The primary domain is added to a bare name. */
function complete(config: ClusterConfig, user: string): string {
  return user.includes('@') ? user : `${user}@${Object.values(config.nodes)[0]?.primaryDomain ?? ''}`;
}

function listText(said: readonly NodeSaid[], { json }: SessionOptions): NodesText {
  const sessions = said.flatMap((one): Listed[] => ('answer' in one ? sessionsOf(one.node, one.answer) : []));
  const complaints = complaintsOf(said);
  if (json === true) return { text: JSON.stringify({ sessions, complaints }, null, 2), complaints };
  const rows = sessions.map(({ frontend, service, account = '(not logged in)', client, nodes, since, session }) => [frontend, service, account, client, nodes.join(', '), since, session]);
  return { text: sessions.length === 0 ? 'no such session' : table([['FRONT-END', 'SERVICE', 'ACCOUNT', 'CLIENT', 'BACK-END', 'SINCE', 'SESSION'], ...rows]), complaints };
}

function sessionsOf(frontend: string, answer: unknown): Listed[] {
  const parsed = sessionsAnswer.safeParse(answer);
  if (!parsed.success) throw new Failure('bad-input', `${frontend} gave an answer that this program does not understand; is it of another version?`);
  return parsed.data.sessions.map((facts) => ({ frontend, ...facts }));
}
