/** `waybill admin …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import { defaultConfig, print } from './terminal.ts';

export function addAdminCommands(program: Command): void {
  const admin = program.command('admin').description('Administrators: hashes of passwords and secrets of authenticators for the configuration.');

  admin
    .command('list')
    .description('List the configured administrators and what they may do.')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .action(async (options: { readonly config: string }) => {
      const { adminListText } = await import('../admin-command.ts');
      print(await adminListText(options));
    });

  admin
    .command('add')
    .description('Ask for a password, and say what a new administrator needs in the configuration. Nothing is changed.')
    .argument('<name>', 'the name to sign in with')
    .option('--stdin', 'the password is the first line of standard input (else: it is asked for twice)')
    .action(async (name: string, options: { readonly stdin?: boolean }) => {
      const { adminAddText } = await import('../admin-command.ts');
      print(await adminAddText(name, options));
    });

  admin
    .command('passwd')
    .description('Ask for a password and print its hash, for the file that the configuration names. Nothing is changed.')
    .argument('<name>', 'the administrator')
    .option('--stdin', 'the password is the first line of standard input (else: it is asked for twice)')
    .addHelpText('after', '\nExample:\n  $ waybill admin passwd ann > /etc/waybill/secrets/admin-ann')
    .action(async (name: string, options: { readonly stdin?: boolean }) => {
      const { adminPasswordHash } = await import('../admin-command.ts');
      print(await adminPasswordHash(name, options));
    });

  admin
    .command('totp')
    .description('Print a new secret for an authenticator (RFC 6238), and the URI that it reads. Nothing is changed.')
    .argument('<name>', 'the administrator')
    .option('--config <file>', 'the cluster configuration, for its name', defaultConfig)
    .action(async (name: string, options: { readonly config: string }) => {
      const { adminTotpText } = await import('../admin-command.ts');
      print(await adminTotpText(name, options));
    });
}
