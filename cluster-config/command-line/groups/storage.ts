/** `waybill storage …` and `waybill backup …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ApiOptions } from '../api-client.ts';
import { withApiOptions } from './api-options.ts';
import { UsageError } from '../usage-error.ts';
import { print } from './terminal.ts';

type Options = ApiOptions & { readonly json?: boolean };
type RepairOptions = Options & { readonly directory?: string; readonly removeLost?: true; readonly rebuild?: string };

/** What is done on the machine itself, to the folder of a storage whose node is stopped. */
export interface OfflineStorage {
  rebuildStorage(folder: string, options: { readonly json?: boolean | undefined }): Promise<{ readonly text: string; readonly code: number }>;
  shrinkStorage(folder: string): Promise<{ readonly text: string; readonly code: number }>;
  declareLost(folder: string): string;
  acceptStorage(folder: string): string;
}

export function addStorageCommands(program: Command, offline: () => Promise<OfflineStorage>): void {
  const storage = program.command('storage').description('Storages of a back-end: sizes, check, repair, compaction, lock for a snapshot.');

  withApiOptions(storage.command('stats').description('Show the storages of a back-end: what is in them, what is dead, what is free.').argument('<node>', 'a back-end'))
    .option('--json', 'as JSON')
    .action(async (node: string, options: Options) => {
      const { storageStatsText } = await import('../storage-command.ts');
      print(await storageStatsText(node, options));
    });

  withApiOptions(storage.command('check').description('Read every message of a back-end and compare it with its checksum, and the index with itself. The node works on; nothing is changed.').argument('<node>', 'a back-end'))
    .option('--directory <folder>', 'only this storage, as `storage stats` shows it')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 0: sound. 2: something is wrong; each message that is lost is named. 1: not checked.\n\nWhile the node is locked (storage lock) it waits, as who writes does.\n\nExample:\n  $ waybill storage check be1')
    .action(async (node: string, options: Options & { readonly directory?: string }) => {
      const { storageCheckText } = await import('../storage-command.ts');
      tell(await storageCheckText(node, options));
    });

  withApiOptions(storage.command('repair').description('Check the storages of a back-end and mend what can be mended, while they are in use. Every message that is lost or doubtful is named; no bytes are thrown away.').argument('[node]', 'a back-end; none with --rebuild'))
    .option('--directory <folder>', 'only this storage, as `storage stats` shows it')
    .option('--remove-lost', 'take messages whose bytes are gone out of their mailboxes: then `account restore` brings them back from a backup')
    .option('--rebuild <folder>', 'instead: make the index of this storage anew from its packs alone. On its machine, while its node is stopped, as the node\'s user')
    .option('--json', 'as JSON')
    .addHelpText('after', `
Exit code 0: sound now. 2: something is wrong still; it is named. 1: not done.

The queue, which \`storage check\` looks at, too, is not repaired: a message that is not found when it is due gets its place again by \`waybill queue retry\`,
one that has lost its bytes goes by \`waybill queue delete\`.

After --rebuild mail is where it was delivered, or where the last compaction found it, with the flags of then; mail that was removed since
may be back. Passwords kept by the node are lost. Each account is held until the node, started again, has found whose it is.

Examples:
  $ waybill storage repair be1
  $ waybill storage repair be1 --remove-lost && waybill account restore alice@example.com --from monday
  $ waybill storage repair --rebuild /var/lib/waybill/be1/storage1`)
    .action(async (node: string | undefined, options: RepairOptions) => {
      if (options.rebuild !== undefined) return tell(await (await offline()).rebuildStorage(options.rebuild, options));
      if (node === undefined) throw new UsageError('name the back-end whose storages are to be repaired, or a folder with --rebuild');
      const { storageRepairText } = await import('../storage-repair-command.ts');
      tell(await storageRepairText(node, options));
    });

  withApiOptions(storage.command('compact').description('Rewrite files of messages of which much is dead, while they are in use. A back-end does that by itself, see storage.compactDeadPercent.').argument('[node]', 'a back-end; none with --index'))
    .option('--directory <folder>', 'only this storage, as `storage stats` shows it')
    .option('--dead-percent <n>', 'those of which at least this share is dead (else: storage.compactDeadPercent)')
    .option('--index <folder>', 'instead: make the index of this storage as small as can be. On its machine, while its node is stopped, as the node\'s user')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nThe space is free some minutes after the end, when nobody can be reading the old files any more.\n\nExample:\n  $ waybill storage compact be1 --dead-percent 20')
    .action(async (node: string | undefined, options: Options & { readonly directory?: string; readonly deadPercent?: string; readonly index?: string }) => {
      if (options.index !== undefined) return tell(await (await offline()).shrinkStorage(options.index));
      if (node === undefined) throw new UsageError('name the back-end whose storages are to be compacted, or a folder with --index');
      const { storageCompactText } = await import('../storage-command.ts');
      print(await storageCompactText(node, options));
    });

  withApiOptions(storage.command('detach').description('Take a storage out of a back-end: its accounts can not be had for the time being, mail for them waits. Nobody is told that they are unknown.').argument('<node>', 'a back-end').argument('<folder>', 'as `storage stats` shows it'))
    .option('--forget', 'of a storage that is taken out already: it will not come back, its addresses may be anybody\'s')
    .addHelpText('after', '\nThe node goes on; when the command has ended the files are closed, unless it says otherwise.\n\nExample:\n  $ waybill storage detach be1 /srv/mail2 && umount /srv/mail2')
    .action(async (node: string, folder: string, options: ApiOptions & { readonly forget?: true }) => {
      const { storageDetachText } = await import('../storage-list-command.ts');
      print(await storageDetachText({ node, folder }, options));
    });

  withApiOptions(storage.command('attach').description('Take a storage into a back-end, by its folder on that machine: one that was taken out, or one of another back-end that has let it go.').argument('<node>', 'a back-end').argument('<folder>', 'its whole path'))
    .addHelpText('after', `
The node goes on; the storage is in use when the command has ended. Accounts of a storage that was another node's are held until it is settled whose they are: no other
back-end has them, and the directory names this one. New accounts come into it only where the configuration names it.

Example:
  $ mount /srv/mail2 && waybill storage attach be2 /srv/mail2`)
    .action(async (node: string, folder: string, options: ApiOptions) => {
      const { storageAttachText } = await import('../storage-list-command.ts');
      print(await storageAttachText({ node, folder }, options));
    });

  storage.command('lost').description('Say that a storage, or the queue, is gone for good, with its mail: its back-end, which else refuses to start without it, begins an empty one in its folder. On its machine, as the node\'s user.').argument('<folder>', 'its whole path')
    .addHelpText('after', '\nThe folder has to be there: where it is gone, too, make it first. A storage that was attached, and that the configuration does not name, is forgotten instead. Mail comes back by `waybill backup restore`. With the queue goes what waited in it, and what was noted of storages\nthat were attached or taken out: say that again when the node runs.\n\nExample:\n  $ waybill storage lost /srv/mail2')
    .action(async (folder: string) => print((await offline()).declareLost(folder)));

  storage.command('accept').description('Say that the storage in a folder is meant to be there, though its back-end, which else refuses to start with it, has had another one there, or a later state of it. On its machine, as the node\'s user.').argument('<folder>', 'its whole path')
    .addHelpText('after', '\nFor a copy that was put back, and for disks that change places on purpose. Of an older copy see "A whole node" in docs/backup.md: programs that cache mail may have to be told to forget.\n\nExample:\n  $ cp -a --sparse=always /backup/be1/monday/storage-1/. /srv/mail1 && waybill storage accept /srv/mail1')
    .action(async (folder: string) => print((await offline()).acceptStorage(folder)));

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
