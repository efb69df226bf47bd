/** `waybill account …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import { addAccountLifeCommands } from './account-life.ts';
import type { LocalAccountOptions } from '../local-account-command.ts';
import { defaultConfig, print } from './terminal.ts';

export function addAccountCommands(program: Command): void {
  const account = program.command('account').description('Accounts: list and show them, make local ones, disable, delete, rename and move them.');
  addAccountLifeCommands(account);

  account
    .command('add')
    .description('Make a local account: one whose password no directory has. The back-end that keeps the mailbox keeps the password.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .option('--stdin', 'the password is the first line of standard input (else: it is asked for twice)')
    .option('--node <node>', 'the back-end that is to keep it, where nothing else says so')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .addHelpText('after', `
Its domain must be one that no LDAP map is asked for; a localFile map or routing.mappingHost says which back-end it is. A new
password is given by "waybill passwd".

Example:
  $ waybill account add alice@local.example`)
    .action(async (address: string, options: LocalAccountOptions) => {
      const { accountAdd } = await import('../local-account-command.ts');
      print(await accountAdd(address, options));
    });

  account
    .command('show')
    .description('Show what the directory and every back-end say of an account.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  $ waybill account show alice@example.com')
    .action(async (address: string, options: { config: string; as?: string; json?: boolean }) => {
      const { accountShowText } = await import('../account-command.ts');
      print(await accountShowText(address, options));
    });

  account
    .command('move')
    .description('Move an account to another back-end while it is in use. UIDs, flags and dates stay as they are.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .argument('<node>', 'the back-end where it is to live')
    .option('--from <node>', 'the back-end that holds the mail; where NODE has the account already, bring over what was left behind there')
    .option('--abort', 'give up a move to NODE that is not done yet: what has come there is thrown away')
    .option('--purge', 'remove the mail there as soon as every message was compared (else: after storage.movedMailDays)')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', `
The node where the account is to live does the work; this command starts and follows it. Whatever stops it, a crash of any
node included, run it again: it goes on. docs/account-move.md tells the steps. Exit code 2: the directory is to be changed by hand.

Examples:
  $ waybill account move alice@example.com be2
  $ waybill account move alice@example.com be2 --from be1     mail that was left behind on be1`)
    .action(async (address: string, node: string, options: { config: string; as?: string; from?: string; purge?: boolean; json?: boolean }) => {
      const { accountMove } = await import('../account-command.ts');
      process.exitCode = await accountMove({ address, node }, options, print);
    });
}
