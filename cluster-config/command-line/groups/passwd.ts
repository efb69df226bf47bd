/** `waybill passwd`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { PasswdOptions } from '../passwd-command.ts';
import { withApiOptions } from './api-options.ts';
import { print } from './terminal.ts';

export function addPasswdCommand(program: Command): void {
  const command = program
    .command('passwd')
    .description('Give a user a new password: at the directory that has it, or at the back-end for a local account.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .option('--stdin', 'the password is the first line of standard input (else: it is asked for twice)')
    .option('--generate', 'a password is made up, and told this once');
  withApiOptions(command)
    .addHelpText('after', `
A directory takes it from ldapConnectors[].write, at the server named there; its replicas follow. The user's WebMail sessions
end; mail programs are asked for the new password at their next login.

Exit codes: 0 changed; 1 not changed, and why; 2 changed, but WebMail sessions may go on.

Examples:
  $ waybill passwd alice@example.com
  $ pwgen -s 16 1 | tee /dev/stderr | waybill passwd alice@example.com --stdin`)
    .action(async (address: string, options: PasswdOptions) => {
      const { passwd } = await import('../passwd-command.ts');
      const { text, complaint } = await passwd(address, options);
      print(text);
      if (complaint === undefined) return;
      process.stderr.write(`waybill: ${complaint}\n`);
      process.exitCode = 2;
    });
}
