/** `waybill trace`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { TraceOptions } from '../trace-command.ts';
import type { ProtocolTraceOptions } from '../protocol-trace-command.ts';
import { withApiOptions } from './api-options.ts';
import { defaultConfig, print, tellAll } from './terminal.ts';

export function addTraceCommands(program: Command): void {
  const trace = program
    .command('trace')
    .description('Show the journey of a session or a message through all nodes, or of everything that concerns an address.')
    .argument('<id-or-address>', 'a session id (as in "reference …"), the id of a queued message, or a mail address')
    .option('--since <when>', 'how far back: 30m, 2h, 3d, or a time such as 2026-01-31T12:00:00Z', '24h')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--json', 'as JSON, each line with everything that was logged')
    .addHelpText('after', `
Each node searches its own log files, those put away and compressed among them, for ten seconds at most. Nodes that log to
another node are found there; those that log to syslog only are not. Exit code 1 when a node does not answer, or has more to tell.

Examples:
  $ waybill trace alice@example.com --since 2h
  $ waybill trace k3jx7zq2mabcdefg`)
    .action(async (what: string, options: TraceOptions) => {
      const { traceText } = await import('../trace-command.ts');
      tellAll(await traceText(what, options));
    });
  withApiOptions(trace.command('protocol').description('Write down what the sessions of one user say, for a while.').argument('<address>', 'whose').argument('<on|off|show>', 'what to do'))
    .option('--for <span>', 'on: how long, at most 24h', '30m')
    .option('--since <when>', 'show: how far back', '24h')
    .option('--front-ends <what>', 'on: what front-ends tell: "no", what is said until the "login", or "all" that they pass on', 'login')
    .option('--at <node>', 'the back-end that writes it down (default: the one that keeps the account)')
    .addHelpText('after', `
Sessions of IMAP, POP3, submission and WebMail that begin after it is switched on, at the back-end that keeps the account and at all
front-ends. Passwords, SASL exchanges and cookies are masked; of messages only the length is written. Whoever switches it on stands in
the audit. A back-end that is restarted traces no more. For a mailbox on a server that is no node, name a back-end by --at.

Examples:
  $ waybill trace protocol alice@example.com on --for 15m
  $ waybill trace protocol bob@example.org on --at be1 --front-ends all`)
    .action(async (address: string, what: string, options: ProtocolTraceOptions) => {
      const { protocolTraceText } = await import('../protocol-trace-command.ts');
      print(await protocolTraceText(address, what, options));
    });
}
