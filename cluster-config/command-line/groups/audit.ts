/** `waybill audit`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ApiOptions } from '../api-client.ts';
import { withApiOptions } from './api-options.ts';
import { tellAll } from './terminal.ts';

export function addAuditCommand(program: Command): void {
  withApiOptions(program.command('audit').description('Show what administrators did at all nodes, the newest last.').argument('[address]', 'only acts on this account'))
    .option('--limit <number>', 'how many of the newest, at most 1000', '100')
    .option('--json', 'as JSON')
    .addHelpText('after', `
With an address, what is kept with the account is shown as well.
Exit code 1 when a node does not answer: what was done there is missing.

Example:
  $ waybill audit alice@example.com`)
    .action(async (address: string | undefined, options: ApiOptions & { readonly limit: string; readonly json?: boolean }) => {
      const { auditText } = await import('../audit-command.ts');
      tellAll(await auditText(address, options));
    });
}
