#!/usr/bin/env node
/** The command line of Waybill: what can be run, with which options, and how errors are told. */
import { Command } from 'commander';
import { ConfigurationRefused } from './cluster-config/problem.ts';
import { DemoRefused } from './cluster-config/demo/demo-refused.ts';
import type { DirectoryCommandOptions } from './cluster-config/command-line/directory-command.ts';
import { addAccountCommands } from './cluster-config/command-line/groups/account.ts';
import { addAdminCommands } from './cluster-config/command-line/groups/admin.ts';
import { addAuditCommand } from './cluster-config/command-line/groups/audit.ts';
import { addConfigCommands } from './cluster-config/command-line/groups/config.ts';
import { addDomainCommands } from './cluster-config/command-line/groups/domain.ts';
import { addFolderCommands } from './cluster-config/command-line/groups/folder.ts';
import { addGroupCommands } from './cluster-config/command-line/groups/group.ts';
import { addMapCommands } from './cluster-config/command-line/groups/map.ts';
import { addNodeCommands } from './cluster-config/command-line/groups/node.ts';
import { addPasswdCommand } from './cluster-config/command-line/groups/passwd.ts';
import { addQueueCommands } from './cluster-config/command-line/groups/queue.ts';
import { addSearchIndexCommands } from './cluster-config/command-line/groups/search-index.ts';
import { addServiceCommands } from './cluster-config/command-line/groups/service.ts';
import { addSessionCommands } from './cluster-config/command-line/groups/session.ts';
import { addBackupCommands, addStorageCommands } from './cluster-config/command-line/groups/storage.ts';
import { addReportCommand } from './cluster-config/command-line/groups/report.ts';
import { addTraceCommands } from './cluster-config/command-line/groups/trace.ts';
import { UsageError } from './cluster-config/command-line/usage-error.ts';
import { Failure } from './shared/base/failure.ts';

const program = new Command('waybill')
  .enablePositionalOptions() // `report` and `report mail` both have --to and --config, which mean what they stand behind
  .description('A clustered mail system. Front-ends speak SMTP, IMAP, POP3 and WebMail to the world, ask an LDAP directory who keeps a mailbox, and hand the session to that back-end.')
  .addHelpText('after', `
Examples:
  $ waybill demo                                     a whole cluster on this machine, to try
  $ waybill config check /etc/waybill/waybill.yaml   is this configuration good?
  $ waybill backend --config /etc/waybill/waybill.yaml --node be1
  $ waybill map show alice@example.com               who is this, and where is the mailbox?

In a checkout write "npm run waybill -- demo" and so on.`);

program
  .command('demo')
  .description('Run a demo cluster on this machine: a directory, two front-ends, two back-ends, ten users.')
  .option('--data <folder>', 'where everything is kept; made when missing', './waybill-data')
  .option('--port-base <number>', 'the number that all ports count from, at most 10700', '10000')
  .addHelpText('after', `
It listens on 127.0.0.1 only: everybody knows its passwords. Ctrl-C stops it, the next start finds all mail again.

Examples:
  $ waybill demo
  $ waybill demo --data /tmp/second --port-base 10500`)
  .action(async (options: { data: string; portBase: string }) => {
    const { demoCommand, readPortBase } = await import('./cluster-config/command-line/demo-command.ts');
    await demoCommand({ data: options.data, portBase: readPortBase(options.portBase) });
  });

program
  .command('directory')
  .description('Run the embedded LDAP directory (for one machine; a real cluster uses OpenLDAP or Active Directory).')
  .requiredOption('--file <ldif>', 'the LDIF file that holds all entries; made when missing')
  .requiredOption('--base <dn>', 'the entry that all others lie below, as dc=example,dc=com')
  .requiredOption('--ldap <ip:port>', 'where it listens for LDAP')
  .option('--ldaps <ip:port>', 'where it listens for LDAP over TLS; needs --certificate and --key')
  .option('--certificate <pem>', 'the certificate for TLS')
  .option('--key <pem>', 'its private key')
  .requiredOption('--admin-dn <dn>', 'the name of the administrator, who may change everything')
  .requiredOption('--admin-password-file <file>', 'a file whose first line is the administrator\'s password')
  .addHelpText('after', `
Example:
  $ waybill directory --file /var/lib/waybill/directory.ldif --base dc=example,dc=com --ldap 127.0.0.1:389 \\
      --admin-dn cn=admin,dc=example,dc=com --admin-password-file /etc/waybill/admin-password`)
  .action(async (options: DirectoryCommandOptions) => {
    const { directoryCommand } = await import('./cluster-config/command-line/directory-command.ts');
    await directoryCommand(options);
  });

interface NodeOptions {
  readonly config: string;
  readonly node?: string;
  readonly takeOver?: true;
}

function nodeCommand(name: string, description: string, run: (options: NodeOptions) => Promise<void>): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption('--config <file>', 'the cluster configuration, or the bootstrap file that leads to the published one')
    .option('--node <name>', 'which of its nodes this process is; a bootstrap file may say it')
    .addHelpText('after', `
It stays in the foreground and logs to standard output, or to log.file. SIGTERM lets commands finish and ends it;
a changed configuration is put to use at once for new sessions, or refused with the reason in the log; SIGHUP reads it again.

Example:
  $ waybill ${name} --config /etc/waybill/waybill.yaml --node ${name === 'frontend' ? 'fe1' : 'be1'}`)
    .action(run);
}

nodeCommand('frontend', 'Run a front-end node: it keeps no mail and hands sessions to the back-ends.', async ({ config, node }) => {
  const { runFrontend } = await import('./frontend/main.ts');
  await runFrontend({ configFile: config, nodeName: node });
});

nodeCommand('backend', 'Run a back-end node: it receives, keeps and sends mail.', async ({ config, node, takeOver }) => {
  const { runBackend } = await import('./backend/main.ts');
  await runBackend({ configFile: config, nodeName: node, foreign: takeOver === true ? 'take-over' : 'refuse' });
}).option('--take-over', 'open storages that another machine did not leave in order; only when that machine is certainly off');

program
  .command('machine')
  .description('Run several nodes on one machine, each with its own processes: a front-end and a back-end side by side.')
  .requiredOption('--config <file>', 'the cluster configuration')
  .requiredOption('--nodes <names>', 'which of its nodes run here, with commas')
  .addHelpText('after', `
Back-ends start first and stop last. A node that ends unasked is started again. Signals are as for a single node.

Example:
  $ waybill machine --config /etc/waybill/waybill.yaml --nodes front,mail`)
  .action(async (options: { readonly config: string; readonly nodes: string }) => {
    const { machineCommand } = await import('./cluster-config/command-line/machine-command.ts');
    await machineCommand(options);
  });
const addStorage = (to: Command): void => addStorageCommands(to, async () => import('./backend/offline-storage.ts'));

for (const add of [addConfigCommands, addMapCommands, addSessionCommands, addAccountCommands, addDomainCommands, addGroupCommands, addFolderCommands, addPasswdCommand, addNodeCommands, addTraceCommands, addReportCommand, addQueueCommands, addStorage, addBackupCommands, addSearchIndexCommands, addServiceCommands, addAdminCommands, addAuditCommand]) add(program);

/** Errors that a user can act on are told in their own words; for all others the stack is worth having. */
function tell(error: unknown): void {
  const expected = error instanceof ConfigurationRefused || error instanceof DemoRefused || error instanceof UsageError || error instanceof Failure;
  const text = expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`waybill: ${text}\n`);
}

try {
  await program.parseAsync();
} catch (error) {
  tell(error);
  process.exit(1);
}
