#!/usr/bin/env node
/** The command line of Waybill: what can be run, with which options, and how errors are told. */
import { Command } from 'commander';
import { ConfigurationRefused } from './cluster-config/problem.ts';
import { DemoRefused } from './cluster-config/demo/demo-refused.ts';
import type { DirectoryCommandOptions } from './cluster-config/command-line/directory-command.ts';
import type { FrontendsText, SessionOptions } from './cluster-config/command-line/session-command.ts';
import { UsageError } from './cluster-config/command-line/usage-error.ts';
import { Failure } from './shared/base/failure.ts';

const defaultConfig = 'waybill-data/waybill.yaml';

function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

const program = new Command('waybill')
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
  readonly node: string;
}

function nodeCommand(name: string, description: string, run: (options: NodeOptions) => Promise<void>): void {
  program
    .command(name)
    .description(description)
    .requiredOption('--config <file>', 'the cluster configuration')
    .requiredOption('--node <name>', 'which of its nodes this process is')
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

nodeCommand('backend', 'Run a back-end node: it receives, keeps and sends mail.', async ({ config, node }) => {
  const { runBackend } = await import('./backend/main.ts');
  await runBackend({ configFile: config, nodeName: node });
});

const config = program.command('config').description('Check, show and explain cluster configurations.');

config
  .command('check')
  .description('Check a configuration: every mistake is named with line and column. Exit code 1 when there is one.')
  .argument('[file]', 'the configuration', defaultConfig)
  .addHelpText('after', '\nExample:\n  $ waybill config check /etc/waybill/waybill.yaml')
  .action(async (file: string) => {
    const { checkText } = await import('./cluster-config/command-line/config-command.ts');
    print(await checkText(file));
  });

config
  .command('show')
  .description('Show what nodes are started with: all layers and defaults together. Secrets are never shown.')
  .argument('[file]', 'the configuration', defaultConfig)
  .option('--node <name>', 'only this node')
  .option('--json', 'as JSON instead of YAML')
  .addHelpText('after', '\nExamples:\n  $ waybill config show --node fe1\n  $ waybill config show /etc/waybill/waybill.yaml --json')
  .action(async (file: string, options: { node?: string; json?: boolean }) => {
    const { showText } = await import('./cluster-config/command-line/config-command.ts');
    print(await showText(file, options));
  });

config
  .command('reference')
  .description('Print the reference page of all parameters (docs/parameters.md), or a JSON Schema for editors.')
  .option('--json-schema', 'the JSON Schema (docs/waybill.schema.json)')
  .addHelpText('after', '\nExample:\n  $ waybill config reference --json-schema > waybill.schema.json')
  .action(async (options: { jsonSchema?: boolean }) => {
    const { referenceText } = await import('./cluster-config/command-line/config-command.ts');
    print(referenceText(options));
  });

const map = program.command('map').description('Ask the user maps.');

map
  .command('show')
  .description('Show which entry an address has, by which map, and which node keeps the mailbox.')
  .argument('<address>', 'a mail address; the primary domain is added when there is none')
  .option('--config <file>', 'the cluster configuration', defaultConfig)
  .option('--node <name>', 'the front-end to ask (else: the first)')
  .option('--json', 'as JSON')
  .addHelpText('after', `
The front-end is asked over its admin API, with the certificate of a node of the configuration that can be read here. It
says whether it has the answer in its cache or asked the directory just now. Each of its workers has a cache of its own:
the next question may meet another worker. When it does not answer, this command asks the maps itself, and says so.

Examples:
  $ waybill map show alice@example.com
  $ waybill map show alice@example.com --node fe2 --json`)
  .action(async (address: string, options: { config: string; node?: string; json?: boolean }) => {
    const { mapShowText } = await import('./cluster-config/command-line/map-command.ts');
    print(await mapShowText(address, options));
  });

map
  .command('flush')
  .description('Make all front-ends forget what they have cached about an address.')
  .argument('<address>', 'a mail address; the primary domain is added when there is none')
  .option('--config <file>', 'the cluster configuration', defaultConfig)
  .addHelpText('after', `
Exit code 1 when a front-end does not answer: it may go on with what it knew until routing.positiveAgeSeconds are over.

Example:
  $ waybill map flush alice@example.com`)
  .action(async (address: string, options: { config: string }) => {
    const { mapFlushText } = await import('./cluster-config/command-line/session-command.ts');
    tellAll(await mapFlushText(address, options));
  });

const session = program.command('session').description('Live IMAP and POP3 sessions on all front-ends: list them, or cut them off.');

function sessionCommand(name: string, description: string, run: (options: SessionOptions) => Promise<FrontendsText>): void {
  session
    .command(name)
    .description(description)
    .option('--user <address>', 'of this account; the primary domain is added when there is none')
    .option('--address <network>', 'of clients with this IP address, or in this network')
    .option('--node <name>', 'joined with this back-end (a node\'s name, or HOST:PORT of a foreign server)')
    .option('--json', 'as JSON')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .addHelpText('after', `
All front-ends are asked over their admin APIs, with the certificate of a node of the configuration that can be read here.
What is given must all fit. Exit code 1 when a front-end does not answer.

Examples:
  $ waybill session ${name} --user alice@example.com
  $ waybill session ${name} --address 192.0.2.0/24 --node be1 --json`)
    .action(async (options: SessionOptions) => tellAll(await run(options)));
}

sessionCommand('list', 'List live sessions.', async (options) => {
  const { sessionListText } = await import('./cluster-config/command-line/session-command.ts');
  return sessionListText(options);
});

sessionCommand('kick', 'Cut live sessions off, and list them.', async (options) => {
  const { sessionKickText } = await import('./cluster-config/command-line/session-command.ts');
  return sessionKickText(options);
});

/** What was done stands on standard output, who was not reached on standard error. */
function tellAll({ text, complaints }: FrontendsText): void {
  if (text !== '') print(text);
  for (const complaint of complaints) process.stderr.write(`waybill: ${complaint}\n`);
  if (complaints.length > 0) process.exitCode = 1;
}

map
  .command('check')
  .description('Check the directory against the nodes: entries without a host or with an unknown one, addresses of several entries,\nmail on a node that the directory does not name, moves that are not finished. Exit code 1 when there is anything.')
  .option('--config <file>', 'the cluster configuration', defaultConfig)
  .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
  .option('--json', 'as JSON')
  .addHelpText('after', '\nExample:\n  $ waybill map check')
  .action(async (options: { config: string; as?: string; json?: boolean }) => {
    const { mapCheck } = await import('./cluster-config/command-line/map-check.ts');
    const { text, code } = await mapCheck(options);
    print(text);
    process.exitCode = code;
  });

map
  .command('export')
  .description('Write address, node and aliases of every user that the LDAP maps can list.')
  .option('--config <file>', 'the cluster configuration', defaultConfig)
  .option('--as <node>', 'the node whose parameters are used (else: the first back-end)')
  .option('--format <format>', 'csv or ldif', 'csv')
  .addHelpText('after', '\nExample:\n  $ waybill map export --format ldif > users.ldif')
  .action(async (options: { config: string; as?: string; format: string }) => {
    const { mapExportText } = await import('./cluster-config/command-line/map-transfer.ts');
    print(await mapExportText(options));
  });

map
  .command('import')
  .description('Compare a file of `map export` with the directory, and print the LDIF that makes the directory like it. No mail is moved:\nthat is `account move`.')
  .argument('<file>', 'CSV or LDIF')
  .option('--config <file>', 'the cluster configuration', defaultConfig)
  .option('--as <node>', 'the node whose parameters are used (else: the first back-end)')
  .option('--write', 'write the hosts into the directory (ldapConnectors[].write); aliases stay in the LDIF')
  .addHelpText('after', '\nExample:\n  $ waybill map import users.csv > changes.ldif')
  .action(async (file: string, options: { config: string; as?: string; write?: boolean }) => {
    const { mapImport } = await import('./cluster-config/command-line/map-transfer.ts');
    const { ldif, told } = await mapImport(file, options);
    for (const line of told) process.stderr.write(`${options.write === true ? '' : 'would change '}${line}\n`);
    if (ldif !== '') print(ldif);
  });

const account = program.command('account').description('Show accounts, and move them between back-ends.');

account
  .command('show')
  .description('Show what the directory and every back-end say of an account.')
  .argument('<address>', 'a mail address; the primary domain is added when there is none')
  .option('--config <file>', 'the cluster configuration', defaultConfig)
  .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
  .option('--json', 'as JSON')
  .addHelpText('after', '\nExample:\n  $ waybill account show alice@example.com')
  .action(async (address: string, options: { config: string; as?: string; json?: boolean }) => {
    const { accountShowText } = await import('./cluster-config/command-line/account-command.ts');
    print(await accountShowText(address, options));
  });

account
  .command('move')
  .description('Move an account to another back-end while it is in use. UIDs, flags and dates stay as they are.')
  .argument('<address>', 'a mail address; the primary domain is added when there is none')
  .argument('<node>', 'the back-end where it is to live')
  .option('--from <node>', 'the back-end that holds the mail; where NODE has the account already, bring over what was left behind there')
  .option('--purge', 'remove the mail there as soon as every message was compared (else: after storage.movedMailDays)')
  .option('--config <file>', 'the cluster configuration', defaultConfig)
  .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
  .option('--json', 'one JSON object a line')
  .addHelpText('after', `
The node where the account is to live does the work; this command starts and follows it. Whatever stops it, a crash of any
node included, run it again: it goes on. docs/account-move.md tells the steps. Exit code 2: the directory is to be changed by hand.

Examples:
  $ waybill account move alice@example.com be2
  $ waybill account move alice@example.com be2 --from be1     mail that was left behind on be1`)
  .action(async (address: string, node: string, options: { config: string; as?: string; from?: string; purge?: boolean; json?: boolean }) => {
    const { accountMove } = await import('./cluster-config/command-line/account-command.ts');
    process.exitCode = await accountMove({ address, node }, options, print);
  });

program
  .command('node')
  .description('Look after nodes.')
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
    const { nodeDrain } = await import('./cluster-config/command-line/node-command.ts');
    process.exitCode = await nodeDrain(node, options, print);
  });

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
