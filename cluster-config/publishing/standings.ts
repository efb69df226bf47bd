/** How the nodes of a cluster stand to a version, from what they say of themselves: who runs it, who refuses it and why, who is away; and who can't even read a text. Pure. */
import { z } from 'zod';
import type { NodeSaid } from '../node-said.ts';
import { nodeStateSchema } from './node-state-schema.ts';
import type { NodeState } from './node-state-schema.ts';

/** The version that nodes should run: its number where it is published, and the digest by which nodes know it. */
export interface Target {
  readonly number: number | undefined;
  readonly version: string;
}

export type Standing =
  | { readonly node: string; readonly role: string; readonly kind: 'runs' | 'starting' | 'behind' | 'refuses' | 'restarting'; readonly state: NodeState }
  | { readonly node: string; readonly role: string; readonly kind: 'away'; readonly why: string };

/** What each node answered to `/configuration/state`. */
export function standingsOf(said: readonly NodeSaid[], roles: Readonly<Record<string, { readonly role: string }>>, target: Target): readonly Standing[] {
  return said.map((one): Standing => {
    const role = roles[one.node]?.role ?? '';
    if ('complaint' in one) return { node: one.node, role, kind: 'away', why: one.complaint };
    const parsed = nodeStateSchema.safeParse(one.answer);
    if (!parsed.success) return { node: one.node, role, kind: 'away', why: 'answers what this program does not understand; is it of another version?' };
    return { node: one.node, role, kind: kindOf(parsed.data, target), state: parsed.data };
  });
}

function kindOf({ running, taking, refused, phase }: NodeState, target: Target): Exclude<Standing['kind'], 'away'> {
  if (phase === 'restarting') return 'restarting';
  const isThere = target.number === undefined || running.number === undefined ? running.version === target.version : running.number >= target.number;
  // A file that was refused lies there still, whatever other nodes have.
  const refusesFile = target.number === undefined && refused !== undefined;
  if (isThere && !refusesFile) return 'runs';
  if (taking !== undefined) return 'starting';
  return refusesFile || (refused !== undefined && refused.number === target.number) ? 'refuses' : 'behind';
}

const verdict = z.object({ good: z.boolean(), why: z.string().optional() });

/** Who answered `/configuration/check` that it can't read the text by its own program, which may be older than this one. */
export function refusalsOf(said: readonly NodeSaid[]): readonly { readonly node: string; readonly why: string }[] {
  return said.flatMap((one) => {
    if ('complaint' in one) return [];
    const answer = verdict.safeParse(one.answer).data;
    return answer?.good === true ? [] : [{ node: one.node, why: answer?.why ?? 'it answers what this program does not understand' }];
  });
}
