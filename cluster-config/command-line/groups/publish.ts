/** `waybill config publish|history|diff|rollback|status`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { PublishOptions } from '../publish-command.ts';
import { print } from './terminal.ts';

export const defaultBootstrap = '/etc/waybill/bootstrap.yaml';

const bootstrapOption = ['--config <file>', 'the bootstrap file, which names the directory and the entry', defaultBootstrap] as const;

export function addPublishCommands(config: Command): void {
  publishing(config.command('publish'))
    .description('Publish a configuration through the directory: every node checks it and puts it to use, or says why not.')
    .argument('<file>', 'the configuration')
    .addHelpText('after', `
It is checked here and by every living node before anything is written. When somebody else publishes at the same moment, one of the two is
told who was first, and nothing of it is published. Exit code 1 when a living node does not run it within the time.

Example:
  $ waybill config publish waybill.yaml --message "a second IMAP port"`)
    .action(async (file: string, options: PublishOptions) => {
      const { publishFile } = await import('../publish-command.ts');
      process.exitCode = await publishFile(file, options, print);
    });

  publishing(config.command('rollback'))
    .description('Publish the content of an old version as a new one.')
    .argument('<version>', 'its number')
    .addHelpText('after', '\nExample:\n  $ waybill config rollback 12')
    .action(async (version: string, options: PublishOptions) => {
      const { rollback } = await import('../publish-command.ts');
      process.exitCode = await rollback(version, options, print);
    });

  addLooking(config);
}

/** Asks, changes nothing. */
function addLooking(config: Command): void {
  config
    .command('history')
    .description('List the published versions: when, by whom, with which message.')
    .option(...bootstrapOption)
    .option('--json', 'as JSON')
    .action(async (options: { config: string; json?: boolean }) => {
      const { historyText } = await import('../history-command.ts');
      print(await historyText(options));
    });

  config
    .command('diff')
    .description('Show what differs between two published versions, and what of it waits for a restart.')
    .argument('[one]', 'a version; the one before the present one when absent')
    .argument('[other]', 'another; the present one when absent')
    .option(...bootstrapOption)
    .addHelpText('after', '\nExamples:\n  $ waybill config diff          what the last publishing changed\n  $ waybill config diff 3 7')
    .action(async (one: string | undefined, other: string | undefined, options: { config: string }) => {
      const { diffText } = await import('../history-command.ts');
      print(await diffText([one, other].filter((given) => given !== undefined), options));
    });

  config
    .command('status')
    .description('Show which node runs which version since when, who refuses and why, who is away, what waits for a restart.')
    .option('--config <file>', 'the bootstrap file, or the configuration where nodes read it as a file', defaultBootstrap)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nAll nodes are asked over their admin APIs. Exit code 1 when one does not run the version.\n\nExample:\n  $ waybill config status --config waybill-data/waybill.yaml')
    .action(async (options: { config: string; json?: boolean }) => {
      const { configStatus } = await import('../config-status.ts');
      const { text, exitCode } = await configStatus(options);
      print(text);
      process.exitCode = exitCode;
    });
}

/** What publishing takes, whatever is published. */
export function publishing(command: Command): Command {
  return command
    .option(...bootstrapOption)
    .option('--message <text>', 'what for; it stands in the history')
    .option('--by <name>', 'who publishes (else: the user and host of this process)')
    .option('--wait-seconds <number>', 'how long nodes may take to put it to use, 0 to 600', '10');
}
