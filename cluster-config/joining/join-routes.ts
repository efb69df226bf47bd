/**
 * How nodes get certificates, on the admin API of every node: strangers with a one-time token join, nodes renew. What the keeper of the
 * authority alone can do is passed on to it.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminAnswer, AdminRoute } from '../../shared/admin/admin-server.ts';
import { RequestRates } from '../../shared/admin-api/request-rate.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { longestRequest } from '../../shared/tls/signing-request.ts';
import type { NodeConfig } from '../effective.ts';
import type { NodeTls } from '../node-tls.ts';
import { AuthorityKeeper } from './authority-keeper.ts';

export const joinPaths = { authority: '/node/authority', join: '/node/join', renew: '/node/renew' } as const;

const request = z.string().max(longestRequest);
const joinSchema = z.strictObject({ id: z.string().max(64), secret: z.string().max(128), request });
const renewSchema = z.strictObject({ request });
const longestBody = 16_384;
const silenceMs = 20_000;

export interface JoinParts {
  readonly config: NodeConfig;
  readonly tls: Pick<NodeTls, 'toNode'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/** None where the configuration says of no authority's key. */
export function joinRoutes(parts: JoinParts): readonly AdminRoute[] {
  const { config, log } = parts;
  const kept = config.tls.authorityKey;
  if (kept === undefined) return [];
  const keeper = kept.node === config.nodeName ? new AuthorityKeeper(config, kept, parts.environment) : undefined;
  const rates = new RequestRates({ burst: 10, perSecond: 1 }); // of an address: each may cost the work of a signature
  const issued = (certificate: string): AdminAnswer => ({ status: 200, body: { certificate } });
  return [
    { prefix: joinPaths.authority, allow: 'anybody', answer: async () => ({ status: 200, body: { authority: await readFile(config.tls.clusterAuthority ?? '', 'utf8') } }) },
    {
      method: 'POST', prefix: joinPaths.join, allow: 'anybody', kind: 'step', maxBodyBytes: longestBody,
      answer: async (_, { body, from, peer }) => {
        if (peer === undefined && rates.take(from) === 'too many') throw new Failure('limit', 'too many attempts from this address: try again in a minute');
        const given = read(joinSchema, body);
        if (keeper === undefined) return { status: 200, body: await passOn(parts, kept.node, given) };
        const certificate = await keeper.join(given).catch((error: unknown) => {
          if (isFailure(error)) log.warn({ from, token: given.id, reason: error.message }, 'a node may not join');
          throw error;
        });
        log.info({ from, token: given.id }, 'a node joined: its certificate is issued');
        return issued(certificate);
      },
    },
    {
      method: 'POST', prefix: joinPaths.renew, allow: 'nodes', kind: 'step', maxBodyBytes: longestBody,
      answer: async (_, { body, peer }) => {
        if (keeper === undefined || peer === undefined) throw new Failure('not-kept-here', `${kept.node} keeps the authority's key`, { node: kept.node });
        const certificate = await keeper.renew(peer.identity, peer.certificate, read(renewSchema, body).request);
        log.info({ node: peer.identity.node }, 'a node certificate is renewed');
        return issued(certificate);
      },
    },
  ];
}

async function passOn({ config, tls }: JoinParts, node: string, body: object): Promise<unknown> {
  const entry = Object.hasOwn(config.nodes, node) ? config.nodes[node] : undefined;
  if (entry?.endpoints.admin === undefined) throw new Failure('backend-unavailable', `${node}, which keeps the authority's key, has no admin listener`);
  try {
    return await callNode({ host: entry.host, port: entry.endpoints.admin, tls: tls.toNode(node) }, { path: joinPaths.join, body, silenceMs });
  } catch (error) {
    if (!isFailure(error, 'backend-unavailable')) throw error;
    throw new Failure('backend-unavailable', `${node}, which keeps the authority's key, does not answer; the token is not used up`, { cause: error });
  }
}

function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Failure('bad-input', `not understood: ${parsed.error.issues[0]?.message ?? ''}`);
}
