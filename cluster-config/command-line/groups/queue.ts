/** `waybill queue …` and `waybill service …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ApiOptions } from '../api-client.ts';
import type { QueueAct, QueueListOptions } from '../queue-command.ts';
import { withApiOptions } from './api-options.ts';
import { print } from './terminal.ts';

const acts: Readonly<Record<QueueAct, string>> = {
  retry: 'Try a message now.',
  hold: 'Try a message no more until it is released.',
  release: 'Let a held message go on.',
  bounce: 'Give a message up: its sender gets a report for those who wait.',
  delete: 'Delete a message; nobody is told.',
};

export function addQueueCommands(program: Command): void {
  const queue = program.command('queue').description('Messages in the queue of a back-end: list, show, retry, hold, release, return, delete.');

  withApiOptions(queue.command('list').description('List queued messages, the oldest first.').argument('<node>', 'a back-end'))
    .option('--sender <text>', 'only with this text in the sender')
    .option('--recipient <text>', 'only with this text in a recipient')
    .option('--held', 'only those that are held')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  $ waybill queue list be1 --recipient @example.org')
    .action(async (node: string, options: QueueListOptions) => {
      const { queueListText } = await import('../queue-command.ts');
      print(await queueListText(node, options));
    });

  withApiOptions(queue.command('show').description('Show a queued message; of its text nothing is shown.').argument('<node>', 'a back-end').argument('<id>', 'as `queue list` shows it'))
    .action(async (node: string, item: string, options: ApiOptions) => {
      const { queueShowText } = await import('../queue-command.ts');
      print(await queueShowText({ node, item }, options));
    });

  for (const [act, description] of Object.entries(acts) as [QueueAct, string][]) {
    const command = withApiOptions(queue.command(act).description(description).argument('<node>', 'a back-end').argument('<id>', 'as `queue list` shows it'));
    if (act === 'bounce') command.option('--reason <text>', 'what the report says');
    command.action(async (node: string, item: string, options: ApiOptions & { readonly reason?: string }) => {
      const { queueActText } = await import('../queue-command.ts');
      print(await queueActText(act, { node, item }, options));
    });
  }
}

export function addServiceCommands(program: Command): void {
  const service = program.command('service').description('Single services of a node: list, start, stop, restart.');

  withApiOptions(service.command('list').description('List the services of a node and their states.').argument('<node>', 'a node'))
    .option('--json', 'as JSON')
    .action(async (node: string, options: ApiOptions & { readonly json?: boolean }) => {
      const { serviceListText } = await import('../queue-command.ts');
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
        const { serviceActText } = await import('../queue-command.ts');
        print(await serviceActText(wish, { node, service: name }, options));
      });
  }
}
