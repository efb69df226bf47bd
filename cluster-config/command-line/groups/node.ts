/** `waybill node …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import { defaultConfig, print } from './terminal.ts';

export function addNodeCommands(program: Command): void {
  const node = program.command('node').description('Look after nodes.');

  node
    .command('restart')
    .description('Restart a node: it accepts nothing new, its sessions end, then it starts with what waited for a restart.')
    .argument('<node>', 'which one')
    .option('--wait-seconds <number>', 'how long sessions may go on before they are told to end, 0 to 3600', '30')
    .option('--config <file>', 'the cluster configuration, or a bootstrap file', defaultConfig)
    .addHelpText('after', `
The node's first process goes on and starts all others anew. What can't be started is left as it was, and the exit code is 1.

Example:
  $ waybill node restart be1 --wait-seconds 120`)
    .action(async (name: string, options: { config: string; waitSeconds: string }) => {
      const { nodeRestart } = await import('../restart-command.ts');
      await nodeRestart(name, options, print);
    });

  node
    .command('drain')
    .description('Move every account of a back-end to the others, in use, some at a time.')
    .argument('<node>', 'the back-end to empty')
    .option('--to <nodes>', 'back-ends that take the accounts, with commas between them (else: all others)')
    .option('--at-once <number>', 'moves at the same time, 1 to 32', '2')
    .option('--purge', 'remove the mail there as soon as every message was compared (else: after storage.movedMailDays)')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', `
Whatever stops it, run it again: it goes on. Exit code 1: some accounts could not be moved; 2: the directory is to be changed by hand.

Example:
  $ waybill node drain be1 --at-once 4`)
    .action(async (node: string, options: { config: string; as?: string; to?: string; atOnce: string; purge?: boolean; json?: boolean }) => {
      const { nodeDrain } = await import('../node-command.ts');
      process.exitCode = await nodeDrain(node, options, print);
    });
}
