/** `waybill group …`: mailing groups of domains that no directory has; the back-end that has the domain's accounts keeps them. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import { ask } from './account-life-command.ts';
import type { ActOutcome } from './account-life-command.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { homeOf } from './local-account-command.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

const silenceMs = 20_000;
const groupsAnswer = z.object({ groups: z.array(z.object({ address: z.string(), members: z.array(z.string()) })) });
type Group = z.output<typeof groupsAnswer>['groups'][number] & { readonly node: string };

export interface GroupOptions extends ClusterOptions {
  readonly json?: boolean;
  readonly node?: string;
}

async function allGroups(view: ClusterView): Promise<readonly Group[]> {
  const lists = await Promise.all(view.backends.map(async (node) => groupsAnswer.parse(await callNode(view.target(node), { path: '/administration/groups', silenceMs })).groups.map((group) => ({ ...group, node }))));
  return lists.flat().toSorted((one, other) => (one.address < other.address ? -1 : 1));
}

async function groupNamed(view: ClusterView, address: string): Promise<Group> {
  const group = (await allGroups(view)).find((one) => one.address === address);
  if (group === undefined) throw new UsageError(`no back-end keeps a group ${address}; those of a directory are changed there`);
  return group;
}

/** @throws Failure, UsageError */
export async function groupListText(options: GroupOptions): Promise<string> {
  return withCluster(options, async (view) => {
    const groups = await allGroups(view);
    if (options.json === true) return JSON.stringify({ groups });
    return table([['GROUP', 'NODE', 'MEMBERS'], ...groups.map(({ address, node, members }) => [address, node, String(members.length)])]);
  });
}

/** One member a line. @throws Failure, UsageError */
export async function groupShowText(given: string, options: GroupOptions): Promise<string> {
  return withCluster(options, async (view) => {
    const group = await groupNamed(view, view.complete(given));
    return options.json === true ? JSON.stringify(group) : group.members.join('\n');
  });
}

/** Makes a group. @throws Failure, UsageError */
export async function groupAdd(given: string, members: readonly string[], options: GroupOptions): Promise<ActOutcome> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    if ((await allGroups(view)).some((group) => group.address === address)) throw new UsageError(`there is a group ${address} already`);
    const node = await homeOf(view, address, options.node);
    return put(view, { address, node }, { members: members.map((member) => view.complete(member)), text: `${address} is a group of ${String(members.length)} on ${node}` });
  });
}

/** @throws Failure, UsageError: also when the group has, or has not, that member already */
export async function groupMember(given: string, change: { readonly kind: 'add' | 'remove'; readonly member: string }, options: GroupOptions): Promise<ActOutcome> {
  return withCluster(options, async (view) => {
    const member = view.complete(change.member);
    const { address, node, members } = await groupNamed(view, view.complete(given));
    if (members.includes(member) === (change.kind === 'add')) throw new UsageError(`${member} is ${change.kind === 'add' ? 'a member of' : 'no member of'} ${address}${change.kind === 'add' ? ' already' : ''}`);
    const next = change.kind === 'add' ? [...members, member] : members.filter((one) => one !== member);
    return put(view, { address, node }, { members: next, text: `${member} is ${change.kind === 'add' ? 'a member' : 'no member any more'} of ${address}` });
  });
}

/** @throws Failure, UsageError */
export async function groupDelete(given: string, options: GroupOptions): Promise<ActOutcome> {
  return withCluster(options, async (view) => {
    const { address, node } = await groupNamed(view, view.complete(given));
    return ask(view, { address, node }, { route: 'group-remove', body: {}, sessions: 'stay', say: () => `${address} is no group any more` });
  });
}

async function put(view: ClusterView, at: { readonly address: string; readonly node: string }, { members, text }: { readonly members: readonly string[]; readonly text: string }): Promise<ActOutcome> {
  return ask(view, at, { route: 'group-put', body: { members }, sessions: 'stay', say: () => text });
}
