/** `waybill storage …` and `waybill backup …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ApiOptions } from '../api-client.ts';
import { withApiOptions } from './api-options.ts';
import { print } from './terminal.ts';

type Options = ApiOptions & { readonly json?: boolean };

export function addStorageCommands(program: Command): void {
  const storage = program.command('storage').description('Storages of a back-end: sizes, check, lock for a snapshot.');

  withApiOptions(storage.command('stats').description('Show the storages of a back-end: what is in them, what is dead, what is free.').argument('<node>', 'a back-end'))
    .option('--json', 'as JSON')
    .action(async (node: string, options: Options) => {
      const { storageStatsText } = await import('../storage-command.ts');
      print(await storageStatsText(node, options));
    });

  withApiOptions(storage.command('check').description('Read every message of a back-end and compare it with its checksum, and the index with itself. The node works on; nothing is changed.').argument('<node>', 'a back-end'))
    .option('--directory <folder>', 'only this storage, as `storage stats` shows it')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 0: sound. 2: something is wrong; each message that is lost is named. 1: not checked.\n\nExample:\n  $ waybill storage check be1')
    .action(async (node: string, options: Options & { readonly directory?: string }) => {
      const { storageCheckText } = await import('../storage-command.ts');
      tell(await storageCheckText(node, options));
    });

  withApiOptions(storage.command('lock').description('Let nobody write to storages and queue of a back-end while a snapshot is made. Everybody reads on; who writes waits.').argument('<node>', 'a back-end'))
    .option('--seconds <n>', 'it ends by itself after that (else: storage.lockSeconds)')
    .addHelpText('after', '\nExample:\n  $ waybill storage lock be1 && lvcreate --snapshot …; waybill storage unlock be1')
    .action(async (node: string, options: ApiOptions & { readonly seconds?: string }) => {
      const { storageLockText } = await import('../storage-command.ts');
      print(await storageLockText(node, options));
    });

  withApiOptions(storage.command('unlock').description('Let everybody write again. Exit code 1 when the lock had ended before: then the snapshot is not of one moment.').argument('<node>', 'a back-end'))
    .action(async (node: string, options: ApiOptions) => {
      const { storageUnlockText } = await import('../storage-command.ts');
      print(await storageUnlockText(node, options));
    });
}

export function addBackupCommands(program: Command): void {
  const backup = program.command('backup').description('Backups of a back-end, made while it works, in its storage.backupDirectory.');
  const of = (name: string, description: string): Command => withApiOptions(backup.command(name).description(description).argument('<node>', 'a back-end'));

  of('make', 'Copy queue and storages of a back-end as of one moment. Nobody waits for it; packs that did not change are shared with the backup before.')
    .option('--name <name>', 'letters, digits, dots and dashes (else: of node and time)')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  $ waybill backup make be1')
    .action(async (node: string, options: Options & { readonly name?: string }) => {
      const { backupMakeText } = await import('../backup-command.ts');
      print(await backupMakeText(node, options));
    });

  of('list', 'List the backups that a back-end can read, the newest first.')
    .option('--json', 'as JSON')
    .action(async (node: string, options: Options) => {
      const { backupListText } = await import('../backup-command.ts');
      print(await backupListText(node, options));
    });

  of('check', 'Read every message of a backup and compare it with its checksum, and the index with itself.')
    .argument('<backup>', 'as `backup list` shows it')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 0: sound. 2: something is wrong. 1: not checked.')
    .action(async (node: string, name: string, options: Options) => {
      const { backupCheckText } = await import('../backup-command.ts');
      tell(await backupCheckText({ node, name }, options));
    });

  of('delete', 'Delete a backup. Others that share packs with it keep them.')
    .argument('<backup>', 'as `backup list` shows it')
    .action(async (node: string, name: string, options: ApiOptions) => {
      const { backupDeleteText } = await import('../backup-command.ts');
      print(await backupDeleteText({ node, name }, options));
    });

  of('restore', 'Bring all accounts of a backup back into a back-end that works. Nothing is overwritten; a second run adds nothing.')
    .argument('<backup>', 'as `backup list` shows it')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 0: all is there. 2: not all; what is missing is named. 1: not done. docs/backup.md tells which UIDs messages get.')
    .action(async (node: string, name: string, options: Options) => {
      const { backupRestoreText } = await import('../backup-command.ts');
      tell(await backupRestoreText({ node, name }, options));
    });
}

export function addAccountRestore(account: Command): void {
  withApiOptions(account.command('restore').description('Bring an account, or one of its mailboxes, back from a backup. Nothing is overwritten; a second run adds nothing.').argument('<address>', 'a mail address'))
    .requiredOption('--from <backup>', 'a backup of the back-end that keeps the account, as `backup list` shows it')
    .option('--mailbox <name>', 'only this mailbox and those below it')
    .option('--node <node>', 'the back-end, where the directory does not say which')
    .option('--json', 'as JSON')
    .addHelpText('after', `
Exit code 0: all is there. 2: not all; what is missing is named. 1: not done. docs/backup.md tells which UIDs messages get.

Examples:
  $ waybill account restore alice@example.com --from be1-20261126T020000Z
  $ waybill account restore alice@example.com --from be1-20261126T020000Z --mailbox Projects/Bridge`)
    .action(async (address: string, options: Options & { readonly from: string; readonly mailbox?: string; readonly node?: string }) => {
      const { accountRestoreText } = await import('../backup-command.ts');
      tell(await accountRestoreText(address, options));
    });
}

function tell({ text, code }: { readonly text: string; readonly code: number }): void {
  print(text);
  process.exitCode = code;
}
