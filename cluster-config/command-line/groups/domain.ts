/** `waybill domain …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { DomainOptions } from '../domain-command.ts';
import { tellAct, withClusterOptions } from './account-life.ts';
import { print } from './terminal.ts';

export function addDomainCommands(program: Command): void {
  const domain = program.command('domain').description('The domains whose mail is ours. They stand in the cluster configuration, where these commands change them; comments stay.');
  addLooks(domain);
  addSettings(domain);
  addEnds(domain);
}

function addLooks(domain: Command): void {
  withClusterOptions(domain.command('list').description('List the domains of the cluster.').option('--json', 'as JSON'), '  $ waybill domain list').action(async (options: DomainOptions) => {
    const { domainListText } = await import('../domain-command.ts');
    print(await domainListText(options));
  });
  withClusterOptions(domain.command('show').description('Show a domain, and how many accounts it has.').argument('<domain>', 'the domain').option('--json', 'as JSON'), '  $ waybill domain show example.org')
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
  withClusterOptions(add, '  $ waybill domain add example.org\n  $ waybill domain add example.net --alias-of example.com').action(async (name: string, options: DomainOptions & { aliasOf?: string; catchAll?: string }) => {
    const { domainAdd } = await import('../domain-command.ts');
    print(await domainAdd(name, options));
  });
  const disable = domain.command('disable').description('Let nobody of a domain log in. Its accounts go on getting mail.').argument('<domain>', 'the domain').option('--refuse-mail', 'its mail is refused, too');
  withClusterOptions(disable, '  $ waybill domain disable example.org').action(async (name: string, options: DomainOptions & { refuseMail?: boolean }) => {
    const { domainSet } = await import('../domain-command.ts');
    print(await domainSet(name, { status: options.refuseMail === true ? 'disabled' : 'noaccess' }, options));
  });
  withClusterOptions(domain.command('enable').description('Let its users log in again.').argument('<domain>', 'the domain'), '  $ waybill domain enable example.org').action(async (name: string, options: DomainOptions) => {
    const { domainSet } = await import('../domain-command.ts');
    print(await domainSet(name, { status: 'active' }, options));
  });
  const services = domain
    .command('services')
    .description('Say what accounts of a domain may be used for, as far as the account itself may.')
    .argument('<domain>', 'the domain')
    .argument('<services>', 'with commas, of smtp, imap, pop3, webmail, submission, relay; or "all"');
  withClusterOptions(services, '  $ waybill domain services example.org smtp,imap,submission').action(async (name: string, given: string, options: DomainOptions) => {
    const { domainSet } = await import('../domain-command.ts');
    print(await domainSet(name, { services: given }, options));
  });
}

function addEnds(domain: Command): void {
  const remove = domain
    .command('delete')
    .description('Take a domain out of use: its mail is refused as foreign, nobody of it logs in. Mailboxes are kept.')
    .argument('<domain>', 'the domain')
    .option('--purge', 'remove it for good, now, with all of its accounts and their mail');
  withClusterOptions(remove, '  $ waybill domain delete example.org').action(async (name: string, options: DomainOptions & { purge?: boolean }) => {
    const { domainDelete } = await import('../domain-command.ts');
    tellAct(await domainDelete(name, options));
  });
  withClusterOptions(domain.command('undelete').description('Bring a deleted domain back, with its accounts.').argument('<domain>', 'the domain'), '  $ waybill domain undelete example.org').action(async (name: string, options: DomainOptions) => {
    const { domainUndelete } = await import('../domain-command.ts');
    print(await domainUndelete(name, options));
  });
  const rename = domain
    .command('rename')
    .description('Give a domain another name: its accounts are renamed one by one. What stops it, run it again: it goes on.')
    .argument('<domain>', 'the domain')
    .argument('<new>', 'its new name')
    .option('--alias', 'the old name stays another name of it');
  withClusterOptions(rename, '  $ waybill domain rename example.org example.net --alias').action(async (name: string, to: string, options: DomainOptions & { alias?: boolean }) => {
    const { domainRename } = await import('../domain-command.ts');
    tellAct(await domainRename(name, to, options));
  });
}
