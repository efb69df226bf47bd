/** `waybill service …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ApiOptions } from '../api-client.ts';
import { withApiOptions } from './api-options.ts';
import { print } from './terminal.ts';

export function addServiceCommands(program: Command): void {
  const service = program.command('service').description('Single services of a node: list, start, stop, restart.');

  withApiOptions(service.command('list').description('List the services of a node and their states.').argument('<node>', 'a node'))
    .option('--json', 'as JSON')
    .action(async (node: string, options: ApiOptions & { readonly json?: boolean }) => {
      const { serviceListText } = await import('../service-command.ts');
      print(await serviceListText(node, options));
    });

  for (const wish of ['start', 'stop', 'restart'] as const) {
    withApiOptions(service.command(wish).description(`${wish[0]?.toUpperCase() ?? ''}${wish.slice(1)} a service in all workers of a node.`).argument('<node>', 'a node').argument('<service>', 'its name in the configuration: imapProxy, smtpReceiving …'))
      .addHelpText('after', `
A stopped service takes nothing new, and its sessions may finish within drainSeconds. It stays stopped until it is started again or the
node ends; services.NAME.enable in the configuration lasts.

Example:
  $ waybill service ${wish} fe1 imapProxy`)
      .action(async (node: string, name: string, options: ApiOptions) => {
        const { serviceActText } = await import('../service-command.ts');
        print(await serviceActText(wish, { node, service: name }, options));
      });
  }
}
