/** `waybill folder rights …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { FolderRightsOptions, SetFolderRightsOptions } from '../folder-rights-command.ts';
import { tellAct, withActOptions } from './account-life.ts';

/** Whose folder, which, and for whom. */
type Words = [address: string, folder: string, who: string];

export function addFolderCommands(program: Command): void {
  const rights = program.command('folder').description('Folders of accounts.').command('rights').description('What others may do with a folder: users, groups ($team@example.com), or anyone of the domain.');
  const of = (name: string, description: string): Command => rights.command(name).description(description).argument('<address>', 'whose folder it is');

  const list = of('list', 'List who was granted or denied what.').argument('[folder]', 'only what holds for this folder, also by one above it').option('--json', 'as JSON');
  withActOptions(list, '  $ waybill folder rights list alice@example.com').action(async (address: string, folder: string | undefined, options: FolderRightsOptions) => {
    const { listFolderRights } = await import('../folder-rights-command.ts');
    tellAct(await listFolderRights(address, folder, options));
  });
  const set = of('set', 'Say what somebody may do with a folder, in the place of what was said before.')
    .argument('<folder>', 'its name, with / between levels')
    .argument('<who>', 'a user, $ and a group, or anyone')
    .option('--level <level>', 'viewer (sees and reads), contributor (adds), editor (flags, deletes), master (everything), none')
    .option('--allow <rights>', 'letters of lrswipkxtea, instead of a level')
    .option('--deny <rights>', 'letters; what is denied anywhere is denied, whatever else allows it')
    .option('--subfolders', 'it holds for the folders below, too')
    .option('--json', 'as JSON');
  withActOptions(set, "  $ waybill folder rights set alice@example.com Projects '$team@example.com' --level editor --subfolders").action(async (...[address, folder, who, options]: [...Words, options: SetFolderRightsOptions]) => {
    const { setFolderRights } = await import('../folder-rights-command.ts');
    tellAct(await setFolderRights(address, { folder, who }, options));
  });
  const remove = of('remove', 'Take back what was said of somebody.').argument('<folder>', 'its name').argument('<who>', 'a user, $ and a group, or anyone').option('--json', 'as JSON');
  withActOptions(remove, '  $ waybill folder rights remove alice@example.com Projects bob@example.com').action(async (...[address, folder, who, options]: [...Words, options: FolderRightsOptions]) => {
    const { removeFolderRights } = await import('../folder-rights-command.ts');
    tellAct(await removeFolderRights(address, { folder, who }, options));
  });
  const effective = of('effective', 'Show what a user may do with a folder, by all that holds for it.').argument('<folder>', 'its name').argument('<user>', 'who wants to do something').option('--json', 'as JSON');
  withActOptions(effective, '  $ waybill folder rights effective alice@example.com Projects/2026 bob@example.com').action(async (...[address, folder, user, options]: [...Words, options: FolderRightsOptions]) => {
    const { effectiveRights } = await import('../folder-rights-command.ts');
    tellAct(await effectiveRights(address, { folder, user }, options));
  });
}
