/** The command line of Waybill: all that can be typed, and how it is explained. What a command does is loaded when it is typed. */
import { Command } from 'commander';
import type { DirectoryCommandOptions } from './directory-command.ts';
import { addAccountCommands } from './groups/account.ts';
import { addAdminCommands } from './groups/admin.ts';
import { addAuditCommand } from './groups/audit.ts';
import { addConfigCommands } from './groups/config.ts';
import { addDomainCommands } from './groups/domain.ts';
import { addFolderCommands } from './groups/folder.ts';
import { addGroupCommands } from './groups/group.ts';
import { addMapCommands } from './groups/map.ts';
import { addNodeCommands } from './groups/node.ts';
import { addPasswdCommand } from './groups/passwd.ts';
import { addQueueCommands } from './groups/queue.ts';
import { addReportCommand } from './groups/report.ts';
import { addSearchIndexCommands } from './groups/search-index.ts';
import { addServiceCommands } from './groups/service.ts';
import { addSessionCommands } from './groups/session.ts';
import { addBackupCommands, addStorageCommands } from './groups/storage.ts';
import type { OfflineStorage } from './groups/storage.ts';
import { addTraceCommands } from './groups/trace.ts';

export interface NodeOptions {
  readonly config: string;
  readonly node?: string;
  readonly takeOver?: true;
}

/** What front-ends and back-ends do for the command line. The programs of the two kinds of node resolve when their node has ended. */
export interface NodePrograms {
  readonly frontend: (options: NodeOptions) => Promise<void>;
  readonly backend: (options: NodeOptions) => Promise<void>;
  readonly offlineStorage: () => Promise<OfflineStorage>;
}

/** In the order in which `--help` lists them. */
const groups: readonly ((program: Command, nodes: NodePrograms) => void)[] = [
  addConfigCommands, addMapCommands, addSessionCommands, addAccountCommands, addDomainCommands, addGroupCommands, addFolderCommands, addPasswdCommand,
  addNodeCommands, addTraceCommands, addReportCommand, addQueueCommands, (program, { offlineStorage }) => addStorageCommands(program, offlineStorage), addBackupCommands, addSearchIndexCommands, addServiceCommands, addAdminCommands, addAuditCommand,
];

export function createProgram(nodes: NodePrograms): Command {
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
  addTrials(program);
  addNodePrograms(program, nodes);
  for (const add of groups) add(program, nodes);
  return program;
}

/** What needs no cluster. */
function addTrials(program: Command): void {
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
      const { demoCommand, readPortBase } = await import('./demo-command.ts');
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
      const { directoryCommand } = await import('./directory-command.ts');
      await directoryCommand(options);
    });
}

/** Those that run until they are told to end. */
function addNodePrograms(program: Command, { frontend, backend }: NodePrograms): void {
  nodeCommand(program, 'frontend', 'Run a front-end node: it keeps no mail and hands sessions to the back-ends.').action(frontend);
  nodeCommand(program, 'backend', 'Run a back-end node: it receives, keeps and sends mail.')
    .option('--take-over', 'open storages that another machine did not leave in order; only when that machine is certainly off')
    .action(backend);

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
      const { machineCommand } = await import('./machine-command.ts');
      await machineCommand(options);
    });
}

function nodeCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption('--config <file>', 'the cluster configuration, or the bootstrap file that leads to the published one')
    .option('--node <name>', 'which of its nodes this process is; a bootstrap file may say it')
    .addHelpText('after', `
It stays in the foreground and logs to standard output, or to log.file. SIGTERM lets commands finish and ends it;
a changed configuration is put to use at once for new sessions, or refused with the reason in the log; SIGHUP reads it again.

Example:
  $ waybill ${name} --config /etc/waybill/waybill.yaml --node ${name === 'frontend' ? 'fe1' : 'be1'}`);
}
