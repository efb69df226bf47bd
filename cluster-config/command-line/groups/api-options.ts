/** The options of commands that speak to the admin API, and how they are explained. */
import type { Command } from 'commander';
import { defaultConfig } from './terminal.ts';

export function withApiOptions(command: Command): Command {
  return withServerOptions(command
    .option('--config <file>', 'the cluster configuration, for a node\'s certificate', defaultConfig)
    .option('--as <node>', 'the node that is asked (else: the first)'));
}

/** Those by which an administrator asks from elsewhere. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--server <url>', 'from elsewhere: https://HOST:PORT of any node\'s admin API')
    .option('--admin <name>', 'with --server: the administrator\'s name')
    .option('--ca <file>', 'with --server: the authority of its certificate (PEM)')
    .option('--password-file <file>', 'with --server: its first line is the password (else: WAYBILL_ADMIN_PASSWORD, or it is asked for)')
    .option('--code <digits>', 'with --server: the code of the authenticator');
}
