/** `waybill group …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { GroupOptions } from '../group-command.ts';
import { tellAct, withActOptions } from './account-life.ts';
import { print } from './terminal.ts';

export function addGroupCommands(program: Command): void {
  const group = program.command('group').description('Mailing groups, in a directory or kept by a back-end: mail for one goes to each of its members.');

  withActOptions(group.command('list').description('List the groups that back-ends keep.').option('--json', 'as JSON'), '  $ waybill group list').action(async (options: GroupOptions) => {
    const { groupListText } = await import('../group-command.ts');
    tellAct(await groupListText(options));
  });
  withActOptions(group.command('show').description('List the members of a group.').argument('<address>', 'the group').option('--json', 'as JSON'), '  $ waybill group show team@local.example')
    .action(async (address: string, options: GroupOptions) => {
      const { groupShowText } = await import('../group-command.ts');
      print(await groupShowText(address, options));
    });
  const add = group
    .command('add')
    .description('Make a group: an entry of the directory that has the domain, else kept by the back-end of the domain.')
    .argument('<address>', 'its address; the primary domain is added when there is none')
    .argument('[members...]', 'addresses, ours or others\'; also of other groups')
    .option('--node <node>', 'the back-end that is to keep it, where nothing else says so');
  withActOptions(add, '  $ waybill group add team@local.example ann@local.example ben@local.example').action(async (address: string, members: readonly string[], options: GroupOptions) => {
    const { groupAdd } = await import('../group-command.ts');
    tellAct(await groupAdd(address, members, options));
  });
  withActOptions(group.command('delete').description('Remove a group. Its members are not touched.').argument('<address>', 'the group'), '  $ waybill group delete team@local.example')
    .action(async (address: string, options: GroupOptions) => {
      const { groupDelete } = await import('../group-command.ts');
      tellAct(await groupDelete(address, options));
    });
  const member = group.command('member').description('Members of groups.');
  for (const [kind, description] of [['add', 'Add a member to a group.'], ['remove', 'Take a member out of a group. It may be named as "group show" names it, by its entry in the directory.']] as const) {
    const command = member.command(kind).description(description).argument('<group>', 'the group').argument('<address>', 'the member');
    withActOptions(command, `  $ waybill group member ${kind} team@local.example ann@local.example`).action(async (address: string, other: string, options: GroupOptions) => {
      const { groupMember } = await import('../group-command.ts');
      tellAct(await groupMember(address, { kind, member: other }, options));
    });
  }
}
