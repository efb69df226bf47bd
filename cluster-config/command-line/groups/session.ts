/** `waybill session …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { NodesText } from '../ask-nodes.ts';
import type { SessionOptions } from '../session-command.ts';
import { withApiOptions } from './api-options.ts';
import { tellAll } from './terminal.ts';

export function addSessionCommands(program: Command): void {
  const session = program.command('session').description('What is open on all front-ends: IMAP and POP3 sessions, SMTP conversations, WebMail requests and streams; list them, or cut them off.');

  sessionCommand(session, { name: 'list', description: 'List live sessions.' }, async (options) => {
    const { sessionListText } = await import('../session-command.ts');
    return sessionListText(options);
  });

  sessionCommand(session, { name: 'kick', description: 'Cut live sessions off, and list them. With --user alone the account is signed out of WebMail everywhere, too.' }, async (options) => {
    const { sessionKickText } = await import('../session-command.ts');
    return sessionKickText(options);
  });
}

function sessionCommand(
  session: Command,
  { name, description }: { readonly name: string; readonly description: string },
  run: (options: SessionOptions) => Promise<NodesText>,
): void {
  const command = session
    .command(name)
    .description(description)
    .option('--user <address>', 'of this account; the primary domain is added when there is none')
    .option('--address <network>', 'of clients with this IP address, or in this network')
    .option('--node <name>', 'joined with this back-end (a node\'s name, or HOST:PORT of a foreign server)')
    .option('--json', 'as JSON');
  withApiOptions(command)
    .addHelpText('after', `
The node that is asked asks all front-ends. What is given must all fit. Exit code 1 when a front-end does not answer.

Examples:
  $ waybill session ${name} --user alice@example.com
  $ waybill session ${name} --address 192.0.2.0/24 --node be1 --json`)
    .action(async (options: SessionOptions) => tellAll(await run(options)));
}
