/** `waybill group …`: mailing groups, of a directory or kept by a back-end: asked of the admin API. */
import { groupDoneSchema, groupOperations } from '../admin/contract/groups.ts';
import { byHandText } from './account-life-command.ts';
import type { ActOutcome } from './account-life-command.ts';
import { openApi } from './api-client.ts';
import type { ApiClient, ApiOptions, ApiQuestion } from './api-client.ts';
import { table } from './table.ts';

export interface GroupOptions extends ApiOptions {
  readonly json?: boolean;
  readonly node?: string;
}

/** @throws Failure, UsageError */
export async function groupListText(options: GroupOptions): Promise<ActOutcome> {
  const { groups, silent } = groupOperations.listGroups.answer.parse(await (await openApi(options)).ask('/groups'));
  const text = options.json === true ? JSON.stringify({ groups }) : table([['GROUP', 'NODE', 'MEMBERS'], ...groups.map(({ address, node, members }) => [address, node, String(members.length)])]);
  return { text, complaints: silent.map(({ node, reason }) => `${node} ${reason}`), exitCode: silent.length === 0 ? 0 : 1 };
}

/** One member a line; of a directory's group the names of entries, and addresses. @throws Failure, UsageError */
export async function groupShowText(given: string, options: GroupOptions): Promise<string> {
  const api = await openApi(options);
  const group = groupOperations.showGroup.answer.parse(await api.ask(groupPath(await api.complete(given))));
  return options.json === true ? JSON.stringify(group) : group.members.join('\n');
}

/** Makes a group. @throws Failure, UsageError */
export async function groupAdd(given: string, members: readonly string[], options: GroupOptions): Promise<ActOutcome> {
  const api = await openApi(options);
  const address = await api.complete(given);
  const body = { address, members: await Promise.all(members.map(async (member) => api.complete(member))), ...(options.node === undefined ? {} : { node: options.node }) };
  return act(api, ['/groups', { method: 'POST', body }], ({ at, node, dn }) => `${address} is a group of ${String(members.length)} ${at === 'directory' ? `in the directory: ${dn ?? ''}` : `on ${node ?? ''}`}`);
}

/** @throws Failure, UsageError: also when the group has, or has not, that member already */
export async function groupMember(given: string, change: { readonly kind: 'add' | 'remove'; readonly member: string }, options: GroupOptions): Promise<ActOutcome> {
  const api = await openApi(options);
  const address = await api.complete(given);
  const member = isEntryName(change) ? change.member : await api.complete(change.member);
  const path = `${groupPath(address)}/members`;
  if (change.kind === 'add') return act(api, [path, { method: 'POST', body: { member } }], () => `${member} is a member of ${address}`);
  return act(api, [`${path}/${encodeURIComponent(member)}`, { method: 'DELETE' }], () => `${member} is no member any more of ${address}`);
}

/** Who is taken out of a directory's group may be named as `group show` names it. */
function isEntryName({ kind, member }: { readonly kind: 'add' | 'remove'; readonly member: string }): boolean {
  return kind === 'remove' && member.includes('=');
}

/** @throws Failure, UsageError */
export async function groupDelete(given: string, options: GroupOptions): Promise<ActOutcome> {
  const api = await openApi(options);
  const address = await api.complete(given);
  return act(api, [groupPath(address), { method: 'DELETE' }], () => `${address} is no group any more`);
}

async function act(api: ApiClient, [path, question]: readonly [path: string, question: ApiQuestion], say: (done: ReturnType<typeof groupDoneSchema.parse>) => string): Promise<ActOutcome> {
  const done = groupDoneSchema.parse(await api.ask(path, question));
  const text = done.ldif === undefined ? say(done) : byHandText(done.ldif).slice(1).join('\n');
  return { text, complaints: [], exitCode: done.ldif === undefined ? 0 : 2 };
}

function groupPath(address: string): string {
  return `/groups/${encodeURIComponent(address)}`;
}
