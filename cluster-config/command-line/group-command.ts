/** `waybill group …`: mailing groups. Of domains that no directory has the back-end of the domain's accounts keeps them; members of a directory's groups are changed there. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
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
  if (group === undefined) throw new UsageError(`there is no group ${address}`);
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

/** One member a line; of a directory's group the names of entries, and addresses. @throws Failure, UsageError */
export async function groupShowText(given: string, options: GroupOptions): Promise<string> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    const entry = await view.directory.maps.lookUp(address);
    const group = entry?.group === undefined ? await groupNamed(view, address) : { address, dn: entry.dn, members: [...entry.group.members, ...entry.group.addresses] };
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
    const entry = await view.directory.maps.lookUp(view.complete(given));
    if (entry?.group !== undefined) return memberInDirectory(view, entry, { ...change, member });
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

/** Written to the directory, where the connector names who may. */
async function memberInDirectory(view: ClusterView, group: UserEntry, { kind, member }: { readonly kind: 'add' | 'remove'; readonly member: string }): Promise<ActOutcome> {
  const entry = await view.directory.maps.lookUp(member);
  const dn = entry !== undefined && entry.map === group.map && entry.via !== 'catchAll' ? entry.dn : undefined;
  const result = await view.directory.changeUser(group, { kind: 'member', change: kind, member: dn === undefined ? { address: member } : { dn } });
  if (result.kind === 'no-place') throw new UsageError(`${member} has no entry in the directory of ${group.address}, and ${result.why}`);
  if (result.kind === 'already') throw new UsageError(`${member} is ${kind === 'add' ? 'a' : 'no'} member of ${group.address} already`);
  if (result.kind === 'by-hand') return { text: `The directory is to be changed by hand, for example with\n\n  ldapmodify -H URI -D WHO -W <<END\n${result.ldif}END`, complaints: [], exitCode: 2 };
  return { text: `${member} is ${kind === 'add' ? 'a member' : 'no member any more'} of ${group.address}`, complaints: [], exitCode: 0 };
}

async function put(view: ClusterView, at: { readonly address: string; readonly node: string }, { members, text }: { readonly members: readonly string[]; readonly text: string }): Promise<ActOutcome> {
  return ask(view, at, { route: 'group-put', body: { members }, sessions: 'stay', say: () => text });
}
