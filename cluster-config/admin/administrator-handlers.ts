/** Administrators as the configuration has them, and their sign-ins as the nodes have seen them. */
import type { AdminSessions } from '../../shared/admin-api/admin-session.ts';
import { capabilityNames, effectiveCapabilities } from '../../shared/admin-api/capability.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import type { NodeConfig } from '../effective.ts';
import { administratorOperations } from './contract/administrators.ts';
import { askEach } from './nodes-asked.ts';

const nodeAnswer = administratorOperations.listNodeSignIns.answer;
type Listed = ReturnType<typeof administratorOperations.listSignIns.answer.parse>;

/** @param tellEnded see `AdminNews` */
export function administratorHandlers(config: NodeConfig, sessions: AdminSessions, tellEnded: (session: string) => Promise<void>): readonly Handled[] {
  const list = async (call: Pick<Call, 'ask' | 'caller'>): Promise<Listed> => {
    const { answers, silent } = await askEach(Object.keys(config.nodes), call, { path: (node) => `/nodes/${node}/administrators/sign-ins`, read: (answer) => nodeAnswer.parse(answer) });
    return { signIns: joined(answers.flatMap(({ node, answer }) => answer.signIns.map((one) => ({ ...one, nodes: [node], own: one.session === call.caller.session })))), silent };
  };
  return [
    handled(administratorOperations.listAdministrators, async () => Promise.resolve(described(config))),
    handled(administratorOperations.listNodeSignIns, async () => Promise.resolve({
      signIns: sessions.signedIn(Date.now()).map(({ session, name, kind, from, signedInAtMs, lastMs }) => ({ session, name, kind, from, since: new Date(signedInAtMs).toISOString(), last: new Date(lastMs).toISOString() })),
    })),
    handled(administratorOperations.listSignIns, async (call) => list(call)),
    handled(administratorOperations.endSignIns, async (call) => {
      const { body, reply } = call;
      reply.note({ ...body });
      const { signIns, silent } = await list(call);
      const meant = signIns.filter(({ session, name }) => ('session' in body ? session === body.session : name === body.name));
      if (meant.length === 0) throw new ApiRefusal(404, 'no-such-thing', { text: 'session' in body ? 'no node that answers knows this sign-in' : `no node that answers has seen ${body.name} signed in` });
      await Promise.all(meant.map(async ({ session }) => {
        sessions.end(session, Date.now());
        await tellEnded(session);
      }));
      const ended = meant.map(({ session, name }) => ({ session, name }));
      reply.note({ ended: ended.map(({ session, name }) => `${name} ${session}`) });
      return { ended, silent };
    }),
  ];
}

/** One that several nodes have seen is one; the latest sight counts. */
function joined(sights: Listed['signIns']): Listed['signIns'] {
  const known = new Map<string, Listed['signIns'][number]>();
  for (const sight of sights.toSorted((one, other) => (one.last < other.last ? -1 : 1))) {
    known.set(sight.session, { ...sight, nodes: [...known.get(sight.session)?.nodes ?? [], ...sight.nodes].toSorted() });
  }
  return [...known.values()].toReversed();
}

function described({ nodeName, administration: { administrators, groups, certificateAuthority } }: NodeConfig): ReturnType<typeof administratorOperations.listAdministrators.answer.parse> {
  return {
    node: nodeName,
    certificates: ['cluster', ...(certificateAuthority === undefined ? [] : ['further' as const])],
    groups: groups.map(({ name, allow, deny }) => ({ name, allow: [...allow], deny: [...deny] })),
    administrators: administrators.map((one, index) => {
      const { name, allow, deny, domains, password, totp } = one;
      const left = effectiveCapabilities([one, ...groups.filter((group) => one.groups.includes(group.name))], domains);
      return {
        name, groups: [...one.groups], allow: [...allow], deny: [...deny], domains: [...domains], capabilities: capabilityNames.filter((each) => left.has(each)),
        password: password !== undefined, totp: totp !== undefined, path: `administration.administrators[${String(index)}]`,
      };
    }),
  };
}
