/** `waybill account list|disable|enable|services|rename|delete|undelete|alias`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { AccountListOptions, ActOutcome } from '../account-life-command.ts';
import type { ClusterOptions } from '../cluster-view.ts';
import { defaultConfig, print } from './terminal.ts';

/** Tells what was done, what is left to do and who did not answer. */
export function tellAct({ text, complaints, exitCode }: ActOutcome): void {
  if (text !== '') print(text);
  for (const complaint of complaints) process.stderr.write(`waybill: ${complaint}\n`);
  process.exitCode = exitCode === 0 && complaints.length > 0 ? 1 : exitCode;
}

const exitCodes = 'Exit codes: 0 done; 1 not done, and why, or a node did not answer; 2 the directory is to be changed by hand.';

export function addAccountLifeCommands(account: Command): void {
  addList(account);
  addTerms(account);
  addEnds(account);
  addNames(account);
}

/** The options that every command of an account has. */
export function withClusterOptions(command: Command, examples: string): Command {
  return command
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .addHelpText('after', `\n${exitCodes}\n\nExample:\n${examples}`);
}

function addList(account: Command): void {
  const list = account
    .command('list')
    .description('List the accounts that back-ends keep.')
    .option('--domain <domain>', 'of this domain')
    .option('--node <node>', 'on this back-end')
    .option('--held', 'only those out of use whose mail is kept: deleted ones, and those whose directory entry is gone')
    .option('--json', 'as JSON');
  withClusterOptions(list, '  $ waybill account list --held').action(async (options: AccountListOptions) => {
    const { accountListText } = await import('../account-life-command.ts');
    tellAct(await accountListText(options));
  });
}

function addTerms(account: Command): void {
  const disable = account
    .command('disable')
    .description('Let nobody log in to an account: sessions end. It goes on getting mail.')
    .argument('<address>', 'the account')
    .option('--refuse-mail', 'mail for it is refused, too');
  withClusterOptions(disable, '  $ waybill account disable alice@example.com').action(async (address: string, options: ClusterOptions & { refuseMail?: boolean }) => {
    const { actOnAccount } = await import('../account-life-command.ts');
    const status = options.refuseMail === true ? 'disabled' : 'noaccess';
    tellAct(await actOnAccount(address, options, { route: 'terms', body: { status }, sessions: 'end', say: (whole) => `${whole} is disabled${status === 'disabled' ? ' and takes no mail' : '; it goes on getting mail'}` }));
  });
  withClusterOptions(account.command('enable').description('Let its user log in to an account again.').argument('<address>', 'the account'), '  $ waybill account enable alice@example.com')
    .action(async (address: string, options: ClusterOptions) => {
      const { actOnAccount } = await import('../account-life-command.ts');
      tellAct(await actOnAccount(address, options, { route: 'terms', body: { status: 'active' }, sessions: 'stay', say: (whole) => `${whole} is enabled` }));
    });
  const services = account
    .command('services')
    .description('Say what an account may be used for. A service must be allowed by the server, the domain and the account.')
    .argument('<address>', 'the account')
    .argument('<services>', 'with commas, of smtp (gets mail), imap, pop3, webmail, submission, relay (sends to other domains); or "all"');
  withClusterOptions(services, '  $ waybill account services alice@example.com smtp,imap,submission').action(async (address: string, given: string, options: ClusterOptions) => {
    const { actOnAccount } = await import('../account-life-command.ts');
    const body = { services: given === 'all' ? given : given.split(',').map((one) => one.trim()) };
    tellAct(await actOnAccount(address, options, { route: 'terms', body, sessions: 'end', say: (whole) => `${whole} may be used for ${given}` }));
  });
}

function addEnds(account: Command): void {
  const remove = account
    .command('delete')
    .description('Take an account out of use, as if there were none. Its mail is kept for accounts.keepDeletedDays.')
    .argument('<address>', 'the account')
    .option('--purge', 'remove the account and its mail for good, now; also one that is deleted already');
  withClusterOptions(remove, '  $ waybill account delete alice@example.com').action(async (address: string, options: ClusterOptions & { purge?: boolean }) => {
    const { actOnAccount, purgeAccount } = await import('../account-life-command.ts');
    tellAct(options.purge === true
      ? await purgeAccount(address, options)
      : await actOnAccount(address, options, { route: 'delete', body: {}, sessions: 'end', say: (whole, node) => `${whole} is deleted; ${node} keeps its mail for now` }));
  });
  withClusterOptions(account.command('undelete').description('Bring a deleted account back as it was: UIDs, flags, quota.').argument('<address>', 'the account'), '  $ waybill account undelete alice@example.com')
    .action(async (address: string, options: ClusterOptions) => {
      const { actOnAccount } = await import('../account-life-command.ts');
      tellAct(await actOnAccount(address, options, { route: 'undelete', body: {}, sessions: 'stay', say: (whole) => `${whole} is back` }));
    });
}

function addNames(account: Command): void {
  const rename = account
    .command('rename')
    .description('Give an account another address. The mailbox stays as it is; sessions end, and programs connect anew.')
    .argument('<address>', 'the account')
    .argument('<new>', 'its new address')
    .option('--alias', 'the old address stays as an alias');
  withClusterOptions(rename, '  $ waybill account rename alice@example.com alice.smith@example.com --alias').action(async (address: string, to: string, options: ClusterOptions & { alias?: boolean }) => {
    const { actOnAccount } = await import('../account-life-command.ts');
    const body = { to, oldAddress: options.alias === true ? 'kept' : 'dropped' };
    tellAct(await actOnAccount(address, options, { route: 'rename', body, also: [to.toLowerCase()], sessions: 'end', say: (whole) => `${whole} is ${to.toLowerCase()} now` }));
  });
  const alias = account.command('alias').description('Further addresses of accounts that no directory has.');
  for (const [name, route, description, words] of [['add', 'alias-add', 'Give an account another address.', 'is an address of'], ['remove', 'alias-remove', 'Take an address away.', 'is no address any more of']] as const) {
    const command = alias.command(name).description(description).argument('<address>', 'the account').argument('<alias>', 'the other address');
    withClusterOptions(command, `  $ waybill account alias ${name} alice@local.example al@local.example`).action(async (address: string, other: string, options: ClusterOptions) => {
      const { actOnAccount } = await import('../account-life-command.ts');
      tellAct(await actOnAccount(address, options, { route, body: { alias: other }, also: [other.toLowerCase()], sessions: 'stay', say: (whole) => `${other.toLowerCase()} ${words} ${whole}` }));
    });
  }
}
