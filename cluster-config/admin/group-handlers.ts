/** Mailing groups over the admin API, at any node: entries of a directory, or kept by the back-end of the domain's accounts. */
import { z } from 'zod';
import { demandAddress, mayTouch, nameOf } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import type { DirectoryChange } from '../directory-changes.ts';
import type { DirectoryAccess } from '../directory-access.ts';
import { groupOperations } from './contract/groups.ts';
import type { groupDoneSchema } from './contract/groups.ts';
import { backendsOf, homeOf } from './holders.ts';
import type { HolderParts } from './holders.ts';
import { stepAt } from './node-step.ts';
import { fromEach } from './nodes-asked.ts';

const silenceMs = 20_000;
const groupsAnswer = z.object({ groups: z.array(z.object({ address: z.string(), members: z.array(z.string()) })) });
type KeptGroup = z.output<typeof groupsAnswer>['groups'][number] & { readonly node: string };
type Shown = z.input<typeof groupOperations.showGroup.answer>;
type Told = z.input<typeof groupDoneSchema>;

export interface GroupParts extends HolderParts {
  readonly directory: Pick<DirectoryAccess, 'maps' | 'changeUser' | 'addGroup' | 'removeGroup'>;
}

/** What a change makes of the members. */
interface MemberChange {
  readonly group: string;
  readonly kind: 'add' | 'remove';
  readonly member: string;
}

export function groupHandlers(parts: GroupParts): readonly Handled[] {
  const { directory } = parts;
  return [
    handled(groupOperations.listGroups, async ({ caller }) => {
      const { groups, silent } = await keptGroups(parts);
      return { groups: groups.filter(({ address }) => mayTouch(caller, address)), silent: silent.map((node) => ({ node, reason: 'does not answer' })) };
    }),
    handled(groupOperations.showGroup, async ({ params: { address } }): Promise<Shown> => {
      const entry = await directory.maps.lookUp(address);
      if (entry?.group !== undefined && entry.dn !== undefined) return { address: entry.address, at: 'directory', dn: entry.dn, members: [...entry.group.members, ...entry.group.addresses] };
      return { ...await groupNamed(parts, address), at: 'back-end' };
    }),
    handled(groupOperations.addGroup, async ({ body, caller, reply }) => {
      reply.note({ address: body.address, members: body.members.slice(0, 20) });
      demandAddress(caller, body.address);
      return addGroup(parts, body, caller);
    }),
    handled(groupOperations.removeGroup, async ({ params: { address }, caller }): Promise<Told> => {
      const entry = await directory.maps.lookUp(address);
      if (entry?.group !== undefined) return inDirectory(entry, await directory.removeGroup(entry));
      const { node } = await groupNamed(parts, address);
      await stepAt(parts, node, { path: `/administration/group-remove/${encodeURIComponent(address)}`, body: { by: nameOf(caller) }, silenceMs });
      return { address, at: 'back-end', node };
    }),
    handled(groupOperations.addMember, async ({ params: { address }, body: { member }, caller, reply }) => {
      reply.note({ member });
      return changeMember(parts, { group: address, kind: 'add', member }, caller);
    }),
    handled(groupOperations.removeMember, async ({ params: { address, member }, caller }) => changeMember(parts, { group: address, kind: 'remove', member }, caller)),
  ];
}

async function addGroup(parts: GroupParts, { address, members, node: wanted }: { readonly address: string; readonly members: readonly string[]; readonly node?: string | undefined }, caller: Caller): Promise<Told> {
  const { maps, addGroup: addEntry } = parts.directory;
  const known = await maps.lookUp(address);
  if (known !== undefined && known.via !== 'catchAll' && known.via !== 'detail' && known.local?.known !== 'no') throw new Failure('mailbox-exists', `there is something with the address ${address} already`);
  if (known?.local === undefined && maps.covers(address)) {
    const entries = await Promise.all(members.map(async (member) => memberOf(maps, member)));
    const { dn, change } = await addEntry({ address, members: entries });
    return { address, at: 'directory', dn, members: members.length, ...byHand(change) };
  }
  if ((await allKept(parts)).some((group) => group.address === address)) throw new Failure('mailbox-exists', `there is a group ${address} already`);
  return put(parts, { address, node: await homeOf(parts, address, wanted), members: [...new Set(members)] }, caller);
}

/** @throws Failure('bad-input') when it is, or is not, a member already */
async function changeMember(parts: GroupParts, change: MemberChange, caller: Caller): Promise<Told> {
  const { kind, member } = change;
  const entry = await parts.directory.maps.lookUp(change.group);
  if (entry?.group !== undefined) return memberInDirectory(parts, entry, change);
  const group = await groupNamed(parts, change.group);
  if (group.members.includes(member) === (kind === 'add')) throw already(change);
  return put(parts, { ...group, members: kind === 'add' ? [...group.members, member] : group.members.filter((one) => one !== member) }, caller);
}

async function memberInDirectory({ directory }: GroupParts, group: UserEntry, change: MemberChange): Promise<Told> {
  const member = await memberValue(directory.maps, group, change);
  const result = await directory.changeUser(group, { kind: 'member', change: change.kind, member });
  if (result.kind === 'no-place') throw new Failure('bad-input', `${change.member} has no entry in the directory of ${group.address}, and ${result.why}`);
  if (result.kind === 'already') throw already(change);
  return inDirectory(group, result);
}

/** What stands in the group's entry for a member: who is to be taken out may be named by that very value. */
async function memberValue(maps: Pick<DirectoryAccess['maps'], 'lookUp'>, group: UserEntry, { kind, member }: MemberChange): Promise<{ readonly dn: string } | { readonly address: string }> {
  const entry = kind === 'remove' ? group.group?.members.find((dn) => dn.toLowerCase() === member) : undefined;
  if (entry !== undefined) return { dn: entry };
  const { dn, map } = await memberOf(maps, member);
  return dn === undefined || map !== group.map ? { address: member } : { dn };
}

function already({ kind, member, group }: MemberChange): Failure {
  return new Failure('bad-input', kind === 'add' ? `${member} is a member of ${group} already` : `${member} is no member of ${group}`);
}

/** How a directory can name a member: by its entry, where it has one of its own. */
async function memberOf(maps: Pick<DirectoryAccess['maps'], 'lookUp'>, address: string): Promise<{ readonly address: string; readonly dn?: string | undefined; readonly map?: string }> {
  const entry = await maps.lookUp(address);
  return entry === undefined || entry.via === 'catchAll' ? { address } : { address, dn: entry.dn, map: entry.map };
}

function inDirectory({ address, dn }: UserEntry, change: DirectoryChange): Told {
  return { address, at: 'directory', ...(dn === undefined ? {} : { dn }), ...byHand(change) };
}

function byHand(change: DirectoryChange): { ldif?: string } {
  return change.kind === 'by-hand' ? { ldif: change.ldif } : {};
}

async function put(parts: GroupParts, { address, node, members }: KeptGroup, caller: Caller): Promise<Told> {
  await stepAt(parts, node, { path: `/administration/group-put/${encodeURIComponent(address)}`, body: { by: nameOf(caller), members }, silenceMs });
  return { address, at: 'back-end', node, members: members.length };
}

async function keptGroups(parts: GroupParts): Promise<{ readonly groups: readonly KeptGroup[]; readonly silent: readonly string[] }> {
  const { answers, silent } = await fromEach(backendsOf(parts.config), async (node) => groupsAnswer.parse(await stepAt(parts, node, { path: '/administration/groups', silenceMs })).groups);
  const groups = answers.flatMap(({ node, answer }) => answer.map((group) => ({ ...group, node }))).toSorted((one, other) => (one.address < other.address ? -1 : 1));
  return { groups, silent: silent.map(({ node }) => node) };
}

/** @throws Failure('backend-unavailable') when a back-end is silent: it may have it */
async function allKept(parts: GroupParts): Promise<readonly KeptGroup[]> {
  const { groups, silent } = await keptGroups(parts);
  if (silent.length > 0) throw new Failure('backend-unavailable', `${silent.join(', ')} must answer for that`);
  return groups;
}

async function groupNamed(parts: GroupParts, address: string): Promise<KeptGroup> {
  const { groups, silent } = await keptGroups(parts);
  const group = groups.find((one) => one.address === address);
  if (group !== undefined) return group;
  if (silent.length > 0) throw new Failure('backend-unavailable', `no back-end that answers has a group ${address}; no answer from ${silent.join(', ')}`);
  throw new Failure('unknown-user', `there is no group ${address}`);
}
