/** `waybill account …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import { addAccountLifeCommands } from './account-life.ts';
import type { ApiOptions } from '../api-client.ts';
import { withApiOptions, withServerOptions } from './api-options.ts';
import type { AccountMoveOptions } from '../account-command.ts';
import type { ReclaimOptions } from '../reclaim-command.ts';
import { addAccountRestore } from './storage.ts';
import type { LocalAccountOptions } from '../local-account-command.ts';
import { defaultConfig, print } from './terminal.ts';

export function addAccountCommands(program: Command): void {
  const account = program.command('account').description('Accounts: list and show them, make local ones, disable, delete, rename and move them.');
  addAccountLifeCommands(account);
  addAccountRestore(account);

  const add = account
    .command('add')
    .description('Make a local account: one whose password no directory has. The back-end that keeps the mailbox keeps the password.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .option('--stdin', 'the password is the first line of standard input (else: it is asked for twice)')
    .option('--generate', 'a password is made up, and told this once')
    .option('--node <node>', 'the back-end that is to keep it, where nothing else says so');
  withApiOptions(add)
    .addHelpText('after', `
Its domain must be one that no LDAP map is asked for; a localFile map or routing.mappingHost says which back-end it is. A new
password is given by "waybill passwd".

Example:
  $ waybill account add alice@local.example`)
    .action(async (address: string, options: LocalAccountOptions) => {
      const { accountAdd } = await import('../local-account-command.ts');
      print(await accountAdd(address, options));
    });

  const show = account
    .command('show')
    .description('Show what the directory and every back-end say of an account.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .option('--json', 'as JSON');
  withApiOptions(show)
    .addHelpText('after', '\nExample:\n  $ waybill account show alice@example.com')
    .action(async (address: string, options: ApiOptions & { json?: boolean }) => {
      const { accountShowText } = await import('../account-show-command.ts');
      print(await accountShowText(address, options));
    });

  const move = account
    .command('move')
    .description('Move an account to another back-end while it is in use. UIDs, flags and dates stay as they are.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .argument('<node>', 'the back-end where it is to live')
    .option('--from <node>', 'the back-end that holds the mail; where NODE has the account already, bring over what was left behind there')
    .option('--abort', 'give up a move to NODE that is not done yet: what has come there is thrown away')
    .option('--purge', 'remove the mail there as soon as every message was compared (else: after storage.movedMailDays)')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .option('--json', 'one JSON object a line');
  withServerOptions(move)
    .addHelpText('after', `
The node where the account is to live does the work; this command starts and follows it. Whatever stops it, a crash of any
node included, run it again: it goes on. docs/account-move.md tells the steps. Exit code 2: the directory is to be changed by hand.

Examples:
  $ waybill account move alice@example.com be2
  $ waybill account move alice@example.com be2 --from be1     mail that was left behind on be1`)
    .action(async (address: string, node: string, options: AccountMoveOptions) => {
      const { accountMove } = await import('../account-command.ts');
      process.exitCode = await accountMove({ address, node }, options, print);
    });

  const reclaim = account
    .command('reclaim')
    .description('Take an account back to the back-end that gave it away, because the node that it went to is gone for good.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .requiredOption('--node <node>', 'the back-end that gave it away, and has its mail still')
    .requiredOption('--gone <node>', 'the node that it went to. You say that it is stopped, and that nobody can reach it')
    .option('--json', 'as JSON');
  withApiOptions(reclaim)
    .addHelpText('after', `
What came to the account at the node that is gone is lost. While that node answers, nothing is done: then "account move" finishes
the move. If the node ever comes back, it gives up what it has of the account before it serves anybody.

Exit codes: 0 done; 1 not done, and why; 2 done, but the directory is to be changed by hand.

Example:
  $ waybill account reclaim alice@example.com --node be1 --gone be2`)
    .action(async (address: string, options: ReclaimOptions) => {
      const { accountReclaim } = await import('../reclaim-command.ts');
      const { text, exitCode } = await accountReclaim(address, options);
      print(text);
      process.exitCode = exitCode;
    });
}
