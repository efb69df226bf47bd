/** `waybill config draft …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type * as DraftCommand from '../draft-command.ts';
import type { DraftOptions } from '../draft-command.ts';
import type { PublishOptions } from '../publish-command.ts';
import { defaultBootstrap, publishing } from './publish.ts';
import { print } from './terminal.ts';

type Run = (words: readonly string[], options: DraftOptions, command: typeof DraftCommand) => Promise<string>;

/** Those that print a text and are done. */
const simple: readonly { readonly words: string; readonly says: string; readonly run: Run }[] = [
  { words: 'new', says: 'Begin a draft of the configuration that is in use.', run: async (_, options, { draftNew }) => draftNew(options) },
  { words: 'set <path> <value>', says: 'Put a value (YAML) at a path; [+] is a new item of a list.', run: async ([path = '', value], options, { draftSet }) => draftSet(path, value, options) },
  { words: 'unset <path>', says: 'Take away what is at a path.', run: async ([path = ''], options, { draftSet }) => draftSet(path, undefined, options) },
  { words: 'show', says: 'Print the draft.', run: async (_, options, { draftShow }) => draftShow(options) },
  { words: 'diff', says: 'Show what differs from the configuration in use, and what of it needs a restart.', run: async (_, options, { draftDiff }) => draftDiff(options) },
  { words: 'check', says: 'Check the draft; every mistake is named with line and column.', run: async (_, options, { draftCheck }) => draftCheck(options) },
  { words: 'discard', says: 'Remove the draft.', run: async (_, options, { draftDiscard }) => draftDiscard(options) },
];

const draftOption = ['--draft <file>', 'where the draft is kept (else: beside the --config file, as FILE.draft)'] as const;

export function addDraftCommands(config: Command): void {
  const draft = config.command('draft').description('Edit the configuration in steps, and put it to use when it is whole.').addHelpText('after', `
A draft is a file of yours; nothing happens to the cluster until it is committed. Committing publishes it, or replaces the file where nodes
read one; it is refused when another version came since the draft was begun.

Example:
  $ waybill config draft new
  $ waybill config draft set frontends.services.smtpProxy.maxRecipients 200
  $ waybill config draft set nodes.fe1.services.imapProxy.listeners[+] '{ address: "192.0.2.7:143" }'
  $ waybill config draft diff
  $ waybill config draft commit --message "a second IMAP address"`);
  for (const { words, says, run } of simple) {
    draft
      .command(words)
      .description(says)
      .option('--config <file>', 'the bootstrap file, or the configuration where nodes read it as a file', defaultBootstrap)
      .option(...draftOption)
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        print(await run(command.args, command.opts<DraftOptions>(), await import('../draft-command.ts')));
      });
  }
  publishing(draft.command('commit'))
    .description('Publish the draft, or put it in the place of the file.')
    .option(...draftOption)
    .action(async (options: DraftOptions & PublishOptions) => {
      const { draftCommit } = await import('../draft-command.ts');
      process.exitCode = await draftCommit(options, print);
    });
}
