/** `waybill queue …`: what can be typed, and how it is explained. */
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
