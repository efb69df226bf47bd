/** `waybill account list|disable|enable|services|rename|delete|undelete|alias`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { AccountListOptions, ActOutcome } from '../account-life-command.ts';
import type { ApiOptions } from '../api-client.ts';
import { withApiOptions } from './api-options.ts';
import { print } from './terminal.ts';

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
  addQuota(account);
}

/** What is typed for `no limit of its own`. */
const asOthers = 'default';

function addQuota(account: Command): void {
  const quota = account
    .command('quota')
    .description('Say how much an account may hold, in the place of what its domain or the server says.')
    .argument('<address>', 'the account')
    .option('--kilobytes <number>', `of mail; 0 for no limit, "${asOthers}" for what holds for others`)
    .option('--messages <number>', `0 for no limit, "${asOthers}" for what holds for others`);
  withActOptions(quota, '  $ waybill account quota alice@example.com --kilobytes 2000000').action(async (address: string, options: ApiOptions & { kilobytes?: string; messages?: string }) => {
    const { setQuota } = await import('../quota-command.ts');
    tellAct(await setQuota(address, options));
  });
}

/** The options that every command of an account has. */
export function withActOptions(command: Command, examples: string): Command {
  return withApiOptions(command).addHelpText('after', `\n${exitCodes}\n\nExample:\n${examples}`);
}

function addList(account: Command): void {
  const list = account
    .command('list')
    .description('List the accounts that back-ends keep.')
    .option('--domain <domain>', 'of this domain')
    .option('--node <node>', 'on this back-end')
    .option('--held', 'only those out of use whose mail is kept: deleted ones, and those whose directory entry is gone; not those that wait until it is known whose they are, which the log of their node names')
    .option('--json', 'as JSON');
  withActOptions(list, '  $ waybill account list --held').action(async (options: AccountListOptions) => {
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
  withActOptions(disable, '  $ waybill account disable alice@example.com').action(async (address: string, options: ApiOptions & { refuseMail?: boolean }) => {
    const { actOnAccount } = await import('../account-life-command.ts');
    const status = options.refuseMail === true ? 'disabled' : 'noaccess';
    tellAct(await actOnAccount(address, options, { path: '/terms', method: 'POST', body: { status }, say: (whole) => `${whole} is disabled${status === 'disabled' ? ' and takes no mail' : '; it goes on getting mail'}` }));
  });
  withActOptions(account.command('enable').description('Let its user log in to an account again.').argument('<address>', 'the account'), '  $ waybill account enable alice@example.com')
    .action(async (address: string, options: ApiOptions) => {
      const { actOnAccount } = await import('../account-life-command.ts');
      tellAct(await actOnAccount(address, options, { path: '/terms', method: 'POST', body: { status: 'active' }, say: (whole) => `${whole} is enabled` }));
    });
  const services = account
    .command('services')
    .description('Say what an account may be used for. A service must be allowed by the server, the domain and the account.')
    .argument('<address>', 'the account')
    .argument('<services>', 'with commas, of smtp (gets mail), imap, pop3, webmail, submission, relay (sends to other domains); or "all"');
  withActOptions(services, '  $ waybill account services alice@example.com smtp,imap,submission').action(async (address: string, given: string, options: ApiOptions) => {
    const { actOnAccount } = await import('../account-life-command.ts');
    const body = { services: given === 'all' ? given : given.split(',').map((one) => one.trim()) };
    tellAct(await actOnAccount(address, options, { path: '/terms', method: 'POST', body, say: (whole) => `${whole} may be used for ${given}` }));
  });
}

function addEnds(account: Command): void {
  const remove = account
    .command('delete')
    .description('Take an account out of use, as if there were none. Its mail is kept for accounts.keepDeletedDays.')
    .argument('<address>', 'the account')
    .option('--purge', 'remove the account and its mail for good, now; also one that is deleted already');
  withActOptions(remove, '  $ waybill account delete alice@example.com').action(async (address: string, options: ApiOptions & { purge?: boolean }) => {
    const { actOnAccount } = await import('../account-life-command.ts');
    tellAct(await actOnAccount(address, options, options.purge === true
      ? { path: '?purge=yes', method: 'DELETE', say: (whole, node) => `${whole} is removed for good from ${node}` }
      : { path: '', method: 'DELETE', say: (whole, node) => `${whole} is deleted; ${node} keeps its mail for now` }));
  });
  withActOptions(account.command('undelete').description('Bring a deleted account back as it was: UIDs, flags, quota.').argument('<address>', 'the account'), '  $ waybill account undelete alice@example.com')
    .action(async (address: string, options: ApiOptions) => {
      const { actOnAccount } = await import('../account-life-command.ts');
      tellAct(await actOnAccount(address, options, { path: '/undelete', method: 'POST', say: (whole) => `${whole} is back` }));
    });
}

function addNames(account: Command): void {
  const rename = account
    .command('rename')
    .description('Give an account another address. The mailbox stays as it is; sessions end, and programs connect anew.')
    .argument('<address>', 'the account')
    .argument('<new>', 'its new address')
    .option('--alias', 'the old address stays as an alias');
  withActOptions(rename, '  $ waybill account rename alice@example.com alice.smith@example.com --alias').action(async (address: string, to: string, options: ApiOptions & { alias?: boolean }) => {
    const { actOnAccount } = await import('../account-life-command.ts');
    const body = { to, oldAddress: options.alias === true ? 'kept' : 'dropped' };
    tellAct(await actOnAccount(address, options, { path: '/rename', method: 'POST', body, say: (whole) => `${whole} is ${to.toLowerCase()} now` }));
  });
  const alias = account.command('alias').description('Further addresses of accounts that no directory has.');
  for (const [name, description, words] of [['add', 'Give an account another address.', 'is an address of'], ['remove', 'Take an address away.', 'is no address any more of']] as const) {
    const command = alias.command(name).description(description).argument('<address>', 'the account').argument('<alias>', 'the other address');
    withActOptions(command, `  $ waybill account alias ${name} alice@local.example al@local.example`).action(async (address: string, other: string, options: ApiOptions) => {
      const { actOnAccount } = await import('../account-life-command.ts');
      const question = name === 'add' ? { path: '/aliases', method: 'POST', body: { alias: other } } as const : { path: `/aliases/${encodeURIComponent(other)}`, method: 'DELETE' } as const;
      tellAct(await actOnAccount(address, options, { ...question, say: (whole) => `${other.toLowerCase()} ${words} ${whole}` }));
    });
  }
}
