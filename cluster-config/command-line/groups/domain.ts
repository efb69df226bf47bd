/** `waybill domain …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { DomainOptions } from '../domain-command.ts';
import type { DomainSettings } from '../../domains.ts';
import { tellAct, withActOptions } from './account-life.ts';
import { print } from './terminal.ts';

export function addDomainCommands(program: Command): void {
  const domain = program.command('domain').description('The domains whose mail is ours. They stand in the cluster configuration, which the node that is asked changes where it lies; comments stay.');
  addLooks(domain);
  addSettings(domain);
  addSet(domain);
  addEnds(domain);
}

function addLooks(domain: Command): void {
  withActOptions(domain.command('list').description('List the domains of the cluster.').option('--json', 'as JSON'), '  $ waybill domain list').action(async (options: DomainOptions) => {
    const { domainListText } = await import('../domain-command.ts');
    print(await domainListText(options));
  });
  withActOptions(domain.command('show').description('Show a domain, and how many accounts it has.').argument('<domain>', 'the domain').option('--json', 'as JSON'), '  $ waybill domain show example.org')
    .action(async (name: string, options: DomainOptions) => {
      const { domainShowText } = await import('../domain-command.ts');
      print(await domainShowText(name, options));
    });
}

function addSettings(domain: Command): void {
  const add = domain
    .command('add')
    .description('Take the mail of another domain. Maps without a list of domains are asked for it; where none is, its accounts are local.')
    .argument('<domain>', 'the domain')
    .option('--alias-of <domain>', 'it has the same addresses as that one')
    .option('--catch-all <address>', 'who gets mail for addresses that nobody has');
  withDocument(withActOptions(add, '  $ waybill domain add example.org\n  $ waybill domain add example.net --alias-of example.com')).action(async (name: string, options: DomainOptions & { aliasOf?: string; catchAll?: string }) => {
    const { domainAdd } = await import('../domain-command.ts');
    print(await domainAdd(name, options));
  });
  const disable = domain.command('disable').description('Let nobody of a domain log in. Its accounts go on getting mail.').argument('<domain>', 'the domain').option('--refuse-mail', 'its mail is refused, too');
  withDocument(withActOptions(disable, '  $ waybill domain disable example.org')).action(async (name: string, options: DomainOptions & { refuseMail?: boolean }) => {
    const { domainSet } = await import('../domain-command.ts');
    print(await domainSet(name, { status: options.refuseMail === true ? 'disabled' : 'noaccess' }, options));
  });
  withDocument(withActOptions(domain.command('enable').description('Let its users log in again.').argument('<domain>', 'the domain'), '  $ waybill domain enable example.org')).action(async (name: string, options: DomainOptions) => {
    const { domainSet } = await import('../domain-command.ts');
    print(await domainSet(name, { status: 'active' }, options));
  });
  const services = domain
    .command('services')
    .description('Say what accounts of a domain may be used for, as far as the account itself may.')
    .argument('<domain>', 'the domain')
    .argument('<services>', 'with commas, of smtp, imap, pop3, webmail, submission, relay; or "all"');
  withDocument(withActOptions(services, '  $ waybill domain services example.org smtp,imap,submission')).action(async (name: string, given: string, options: DomainOptions) => {
    const { domainSet, servicesOf } = await import('../domain-command.ts');
    print(await domainSet(name, { services: servicesOf(given) }, options));
  });
}

/** Takes a parameter out. */
const none = 'none';

interface Typed {
  readonly catchAll?: string;
  readonly postmaster?: string;
  readonly kilobytes?: string;
  readonly messages?: string;
  readonly storages?: string;
}

function addSet(domain: Command): void {
  const set = domain
    .command('set')
    .description(`Set what holds for all accounts of a domain; "${none}" takes it out.`)
    .argument('<domain>', 'the domain')
    .option('--catch-all <address>', 'who gets mail for addresses that nobody has')
    .option('--postmaster <address>', 'who gets mail for postmaster@, where nobody has that address')
    .option('--kilobytes <number>', 'most kilobytes of mail of each account; 0 for no limit')
    .option('--messages <number>', 'most messages of each account; 0 for no limit')
    .option('--storages <folders>', 'with commas: the only storages for new accounts');
  withDocument(withActOptions(set, '  $ waybill domain set example.org --postmaster ann@example.org --kilobytes 1000000')).action(async (name: string, { catchAll, postmaster, kilobytes, messages, storages, ...options }: DomainOptions & Typed) => {
    const { domainSet, settingsOf } = await import('../domain-command.ts');
    print(await domainSet(name, await settingsOf(name, { catchAll, postmaster, kilobytes, messages, storages }, options) satisfies DomainSettings, options));
  });
}

function addEnds(domain: Command): void {
  const remove = domain
    .command('delete')
    .description('Take a domain out of use: its mail is refused as foreign, nobody of it logs in. Mailboxes are kept.')
    .argument('<domain>', 'the domain')
    .option('--purge', 'remove it for good, now, with all of its accounts and their mail');
  withDocument(withActOptions(remove, '  $ waybill domain delete example.org')).action(async (name: string, options: DomainOptions & { purge?: boolean }) => {
    const { domainDelete } = await import('../domain-command.ts');
    tellAct(await domainDelete(name, options));
  });
  withDocument(withActOptions(domain.command('undelete').description('Bring a deleted domain back, with its accounts.').argument('<domain>', 'the domain'), '  $ waybill domain undelete example.org')).action(async (name: string, options: DomainOptions) => {
    const { domainUndelete } = await import('../domain-command.ts');
    print(await domainUndelete(name, options));
  });
  const rename = domain
    .command('rename')
    .description('Give a domain another name: its accounts are renamed one by one. What stops it, run it again: it goes on.')
    .argument('<domain>', 'the domain')
    .argument('<new>', 'its new name')
    .option('--alias', 'the old name stays another name of it');
  withActOptions(rename, '  $ waybill domain rename example.org example.net --alias').action(async (name: string, to: string, options: DomainOptions & { alias?: boolean }) => {
    const { domainRename } = await import('../domain-command.ts');
    tellAct(await domainRename(name, to, options));
  });
}

/** For a configuration that is published afterwards, or a cluster that does not run. */
function withDocument(command: Command): Command {
  return command.option('--document <file>', 'change this configuration file, and ask no node');
}
