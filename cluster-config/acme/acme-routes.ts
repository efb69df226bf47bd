/** What the renewer answers to other nodes, on its admin API: certificates with their keys, and the answers to challenges of the ACME server. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { RequestRates } from '../../shared/admin-api/request-rate.ts';
import { isChallengeToken } from '../../shared/acme/jws.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { NodeConfig } from '../effective.ts';
import type { NodeTls } from '../node-tls.ts';
import { AcmeFolder } from './acme-folder.ts';

export const acmePaths = { pair: '/acme/pair', challenge: '/acme/challenge/' } as const;

const askedSchema = z.strictObject({ names: z.array(z.string().max(253)).max(100) });
const challengeSchema = z.object({ text: z.string().optional() });
const silenceMs = 10_000;

/** None at other nodes. */
export function acmeRoutes({ tls: { acme }, nodeName }: NodeConfig): readonly AdminRoute[] {
  if (acme?.node !== nodeName) return [];
  const folder = new AcmeFolder(acme.folder);
  return [
    {
      method: 'POST', prefix: acmePaths.pair, allow: 'nodes', kind: 'question', maxBodyBytes: 65_536,
      answer: async (_, { body }) => {
        const asked = askedSchema.safeParse(body);
        if (!asked.success) throw new Failure('bad-input', 'those are no host names');
        return { status: 200, body: { pair: await folder.issued(asked.data.names) ?? null } };
      },
    },
    { prefix: acmePaths.challenge, allow: 'nodes', answer: async (token) => ({ status: 200, body: { text: await folder.challenge(token) } }) },
  ];
}

/** Where the renewer is asked. @throws Failure('backend-unavailable') when it has no admin listener */
export function renewerTarget(config: NodeConfig, { toNode }: Pick<NodeTls, 'toNode'>): AdminTarget {
  const name = config.tls.acme?.node ?? '';
  const entry = Object.hasOwn(config.nodes, name) ? config.nodes[name] : undefined;
  if (entry?.endpoints.admin === undefined) throw new Failure('backend-unavailable', `${name}, which orders certificates, has no admin listener`);
  return { host: entry.host, port: entry.endpoints.admin, tls: toNode(name) };
}

/** Answers challenges at a front-end; undefined for a token that nobody waits for. Strangers can ask, so not often. */
export function challengeAnswers(config: NodeConfig, tls: Pick<NodeTls, 'toNode'>): ((token: string) => Promise<string | undefined>) | undefined {
  if (config.tls.acme === undefined) return undefined;
  const rates = new RequestRates({ burst: 30, perSecond: 5 });
  return async (token) => {
    if (!isChallengeToken(token)) return undefined;
    if (rates.take('all clients') === 'too many') throw new Failure('limit', 'challenges are asked for too often');
    return challengeSchema.parse(await callNode(renewerTarget(config, tls), { path: acmePaths.challenge + token, silenceMs })).text;
  };
}
