/** All users at once over the admin API: the directory compared with the nodes and with files of users, hosts written into it, and what workers have counted. */
import type { z } from 'zod';
import { demand, demandWholeCluster, mayTouch } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import type { ListedEntry } from '../directory-listing.ts';
import { findingsOf, overviewPath, overviewSchema } from '../map-findings.ts';
import { frontendTargets, importHosts } from '../host-import.ts';
import { changesOf, compareUsers, leaveHost } from '../user-files.ts';
import { mostFindings, userMapOperations } from './contract/user-map.ts';
import { workersCounted } from '../workers-counted.ts';
import { backendsOf } from './holders.ts';
import type { HolderParts } from './holders.ts';
import { stepAt } from './node-step.ts';
import { fromEach } from './nodes-asked.ts';
import { sharedListing } from './shared-listing.ts';
import type { DirectoryAccess } from '../directory-access.ts';

export interface UserMapParts extends HolderParts {
  readonly directory: DirectoryAccess;
}

const overviewSilenceMs = 30_000;
const statisticsSilenceMs = 5000;
/** In an answer or refusal. */
const mostMistakes = 1000;

export function userMapHandlers(parts: UserMapParts): readonly Handled[] {
  const { config, directory } = parts;
  const list = sharedListing(directory);
  const ofCaller = async (caller: Caller): Promise<readonly ListedEntry[]> => (await list()).filter(({ addresses: [address = ''] }) => mayTouch(caller, address));
  return [
    handled(userMapOperations.checkMap, async ({ caller }) => {
      demandWholeCluster(caller);
      const entries = await list();
      const nodes = await overviews(parts);
      const findings = findingsOf(config, { entries, nodes });
      return { entries: entries.length, backends: nodes.size, total: findings.length, findings: findings.slice(0, mostFindings) };
    }),
    handled(userMapOperations.compareMap, async ({ caller, body }) => {
      const { mistakes, pairs } = compareUsers(config, await ofCaller(caller), body);
      const { told, ldif } = await changesOf(pairs, leaveHost);
      return { mistakes: mistakes.slice(0, mostMistakes), told: [...told], ldif };
    }),
    handled(userMapOperations.importMap, async ({ caller, body, reply }) => {
      demand(caller, 'manageUserMap');
      const { mistakes, pairs } = compareUsers(config, await ofCaller(caller), body);
      if (mistakes.length > 0) throw new ApiRefusal(422, 'mistakes', { text: 'nothing was written, because the text has mistakes', mistakes: mistakes.slice(0, mostMistakes) });
      const { told, ldif, silent } = await importHosts({ directory, frontends: frontendTargets(config, parts.target), note: async (written) => Promise.resolve(reply.note({ ...written })) }, pairs);
      return { told: [...told], ldif, silent };
    }),
    handled(userMapOperations.mapStatistics, async ({ caller }) => {
      demandWholeCluster(caller);
      const names = Object.keys(config.nodes);
      const { answers, silent } = await fromEach(names, async (node) => workersCounted(node, await stepAt(parts, node, { path: '/map-stats', silenceMs: statisticsSilenceMs })));
      return { silent, nodes: answers.map(({ node, answer }) => ({ node, role: config.nodes[node]?.role ?? 'backend', workers: [...answer] })) };
    }),
  ];
}

async function overviews(parts: UserMapParts): Promise<ReadonlyMap<string, z.output<typeof overviewSchema> | undefined>> {
  const names = backendsOf(parts.config);
  const { answers } = await fromEach(names, async (node) => overviewSchema.parse(await stepAt(parts, node, { path: overviewPath, silenceMs: overviewSilenceMs })));
  const known = new Map(answers.map(({ node, answer }) => [node, answer]));
  return new Map(names.map((node) => [node, known.get(node)]));
}
