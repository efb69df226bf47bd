/** `waybill node …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { AuthorityOptions, TokenOptions } from '../node-authority-command.ts';
import type { DrainOptions } from '../node-command.ts';
import type { JoinOptions } from '../node-join-command.ts';
import type { RestartOptions } from '../restart-command.ts';
import { withApiOptions, withServerOptions } from './api-options.ts';
import { defaultConfig, print } from './terminal.ts';

export function addNodeCommands(program: Command): void {
  const node = program.command('node').description('Look after nodes.');

  const restart = node
    .command('restart')
    .description('Restart a node: it accepts nothing new, its sessions end, then it starts with what waited for a restart.')
    .argument('<node>', 'which one')
    .option('--wait-seconds <number>', 'how long sessions may go on before they are told to end, 0 to 3600', '30')
    .option('--config <file>', 'the cluster configuration, or a bootstrap file', defaultConfig);
  withServerOptions(restart)
    .addHelpText('after', `
The node's first process goes on and starts all others anew. What can't be started is left as it was, and the exit code is 1.

Example:
  $ waybill node restart be1 --wait-seconds 120`)
    .action(async (name: string, options: RestartOptions) => {
      const { nodeRestart } = await import('../restart-command.ts');
      await nodeRestart(name, options, print);
    });

  const drain = node
    .command('drain')
    .description('Move every account of a back-end to the others, in use, some at a time.')
    .argument('<node>', 'the back-end to empty')
    .option('--to <nodes>', 'back-ends that take the accounts, with commas between them (else: all others)')
    .option('--at-once <number>', 'moves at the same time, 1 to 32 (with --server: 8)', '2')
    .option('--purge', 'remove the mail there as soon as every message was compared (else: after storage.movedMailDays)')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .option('--json', 'one JSON object a line');
  withServerOptions(drain)
    .addHelpText('after', `
Whatever stops it, run it again: it goes on. Exit code 1: some accounts could not be moved; 2: the directory is to be changed by hand.

Example:
  $ waybill node drain be1 --at-once 4`)
    .action(async (node: string, options: DrainOptions) => {
      const { nodeDrain } = await import('../node-command.ts');
      process.exitCode = await nodeDrain(node, options, print);
    });
  addJoining(node);
}

/** Certificates of nodes. */
function addJoining(node: Command): void {
  node
    .command('authority')
    .description('On the back-end of tls.authorityKey: make the cluster\'s authority and that node\'s certificate, or seal the key of an authority that exists.')
    .option('--key <file>', 'the key (PEM) of the authority in tls.clusterAuthority')
    .option('--config <file>', 'the cluster configuration, or a bootstrap file', defaultConfig)
    .addHelpText('after', `
The key is encrypted with the passphrase of tls.authorityKey. Nothing is overwritten.

Example:
  $ waybill node authority --key /root/authority-key.pem`)
    .action(async (options: AuthorityOptions) => {
      const { nodeAuthority } = await import('../node-authority-command.ts');
      print(await nodeAuthority(options));
    });

  withApiOptions(node.command('token').description('Make a one-time token with which a new machine gets its node certificate.').argument('<node>', 'the name of the new node'))
    .requiredOption('--role <role>', 'frontend or backend')
    .option('--valid <time>', 'for how long, as 30m, 1h or 2d; a week at most', '1h')
    .option('--host <names>', 'names and addresses of the certificate, with commas, beside those of the configuration')
    .addHelpText('after', `
The first line printed is the token. It is good once, for this node in this role; only its hash is kept.

Example:
  $ waybill node token fe3 --role frontend --host fe3.example.com`)
    .action(async (name: string, options: TokenOptions) => {
      const { nodeToken } = await import('../node-authority-command.ts');
      print(await nodeToken(name, options));
    });

  node
    .command('join')
    .description('On a new machine: make a key and get the node certificate for it with a one-time token.')
    .requiredOption('--token <token>', 'as `waybill node token` printed it')
    .requiredOption('--server <url>', 'https://HOST:PORT of the admin API of any node')
    .requiredOption('--out <folder>', 'where authority.pem, NODE.pem and NODE-key.pem are written; made when missing')
    .addHelpText('after', `
The server is known by the fingerprint in the token. The key never leaves this machine. When anything fails, nothing is written.

Example:
  $ waybill node join --token waybill-join.eyJ… --server https://be1.example.com:10900 --out /etc/waybill/tls`)
    .action(async (options: JoinOptions) => {
      const { nodeJoin } = await import('../node-join-command.ts');
      print(await nodeJoin(options));
    });
}
