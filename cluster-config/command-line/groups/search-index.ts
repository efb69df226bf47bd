/** `waybill search-index …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ApiOptions } from '../api-client.ts';
import { withApiOptions } from './api-options.ts';
import { print } from './terminal.ts';

type Options = ApiOptions & { readonly json?: boolean };

export function addSearchIndexCommands(program: Command): void {
  const index = program.command('search-index').description('The index of a back-end for searches of text. Searches find the same without it, later; mail never waits for it.');
  const of = (name: string, description: string): Command => withApiOptions(index.command(name).description(description).argument('<node>', 'a back-end')).option('--json', 'as JSON');

  of('status', 'Show how many messages are in the index of a back-end, and how large it is.')
    .action(async (node: string, options: Options) => {
      const { searchIndexStatusText } = await import('../search-index-command.ts');
      print(await searchIndexStatusText(node, options));
    });

  of('rebuild', 'Make the index anew, while the back-end works, and wait for it.')
    .option('--account <address>', 'only of this account, all of its mailboxes')
    .addHelpText('after', '\nExample:\n  $ waybill search-index rebuild be1 --account alice@example.com')
    .action(async (node: string, options: Options & { readonly account?: string }) => {
      const { searchIndexRebuildText } = await import('../search-index-command.ts');
      print(await searchIndexRebuildText(node, options));
    });

  of('drop', 'Remove the index. Mailboxes get one again when they are searched, or at once where storage.textIndex is `all`.')
    .action(async (node: string, options: Options) => {
      const { searchIndexDropText } = await import('../search-index-command.ts');
      print(await searchIndexDropText(node, options));
    });
}
