/** `waybill map …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ApiOptions } from '../api-client.ts';
import type { MapCheckOptions } from '../map-check.ts';
import type { MapShowOptions } from '../map-command.ts';
import type { MapExportOptions, MapImportOptions } from '../map-transfer.ts';
import { withApiOptions, withServerOptions } from './api-options.ts';
import { defaultConfig, print, tellAll } from './terminal.ts';

export function addMapCommands(program: Command): void {
  const map = program.command('map').description('Ask the user maps.');
  addQuestions(map);
  addStatistics(map);
  addComparisons(map);
}

/** About single addresses. */
function addQuestions(map: Command): void {
  const show = map
    .command('show')
    .description('Show which entry an address has, by which map, and which node keeps the mailbox.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none')
    .option('--node <name>', 'the front-end to ask (else: the first)')
    .option('--service <name>', 'as smtpProxy, imapProxy, pop3Proxy or webmailProxy sees it, where these have user maps of their own')
    .option('--json', 'as JSON');
  withServerOptions(show.option('--config <file>', 'the cluster configuration', defaultConfig))
    .addHelpText('after', `
The front-end is asked over its admin API, with the certificate of a node of the configuration that can be read here. It
says whether it has the answer in its cache or asked the directory just now. Each of its workers has a cache of its own:
the next question may meet another worker. When it does not answer, this command asks the maps itself, and says so. With --server
that node answers if it is a front-end, else the first front-end does.

Examples:
  $ waybill map show alice@example.com
  $ waybill map show alice@example.com --node fe2 --json`)
    .action(async (address: string, options: MapShowOptions) => {
      const { mapShowText } = await import('../map-command.ts');
      print(await mapShowText(address, options));
    });

  const flush = map
    .command('flush')
    .description('Make all front-ends forget what they have cached about an address.')
    .argument('<address>', 'a mail address; the primary domain is added when there is none');
  withApiOptions(flush)
    .addHelpText('after', `
Exit code 1 when a front-end does not answer: it may go on with what it knew until routing.positiveAgeSeconds are over.

Example:
  $ waybill map flush alice@example.com`)
    .action(async (address: string, options: ApiOptions) => {
      const { mapFlushText } = await import('../session-command.ts');
      tellAll(await mapFlushText(address, options));
    });
}

/** About what was counted. */
function addStatistics(map: Command): void {
  const stats = map
    .command('stats')
    .description('Show what all nodes have counted: answers from the cache, stale ones, logins, operations at the directory.')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--json', 'as JSON, each worker and each LDAP connector by itself');
  withServerOptions(stats)
    .addHelpText('after', `
Workers count from their start; those that a change of the configuration has retired count as long as they live. A miss is a
question that the cache did not answer: logins always ask afresh. Searches and binds are LDAP operations as they were sent,
those for recipients of mail included; the last column has only those that logins caused. Back-ends have no cache, but serve
answers of before while the directory is away; a login there is a password that it checks, not one that a front-end vouches
for. Exit code 1 when a node does not answer.

Example:
  $ waybill map stats --json`)
    .action(async (options: ApiOptions & { json?: boolean }) => {
      const { mapStatsText } = await import('../map-stats.ts');
      tellAll(await mapStatsText(options));
    });
}

/** About all users at once. */
function addComparisons(map: Command): void {
  const check = map
    .command('check')
    .description('Check the directory against the nodes: entries without a host or with an unknown one, addresses of several entries,\nmail on a node that the directory does not name, moves that are not finished. Exit code 1 when there is anything.')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose certificate is used (else: the first back-end)')
    .option('--json', 'as JSON');
  withServerOptions(check)
    .addHelpText('after', '\nExample:\n  $ waybill map check')
    .action(async (options: MapCheckOptions) => {
      const { mapCheck } = await import('../map-check.ts');
      const { text, code } = await mapCheck(options);
      print(text);
      process.exitCode = code;
    });

  const exported = map
    .command('export')
    .description('Write address, node and aliases of every user that the LDAP maps can list.')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose parameters are used (else: the first back-end)')
    .option('--format <format>', 'csv or ldif', 'csv');
  withServerOptions(exported)
    .addHelpText('after', '\nExample:\n  $ waybill map export --format ldif > users.ldif')
    .action(async (options: MapExportOptions) => {
      const { mapExportText } = await import('../map-transfer.ts');
      print(await mapExportText(options));
    });

  const imported = map
    .command('import')
    .description('Compare a file of `map export` with the directory, and print the LDIF that makes the directory like it. No mail is moved:\nthat is `account move`.')
    .argument('<file>', 'CSV or LDIF')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--as <node>', 'the node whose parameters are used (else: the first back-end)')
    .option('--write', 'write the hosts into the directory (ldapConnectors[].write); aliases stay in the LDIF');
  withServerOptions(imported)
    .addHelpText('after', `
Front-ends forget where those users were whose hosts are written. Exit code 1 when one does not answer: it may go on with the hosts
of before until routing.positiveAgeSeconds are over.

Example:
  $ waybill map import users.csv > changes.ldif`)
    .action(async (file: string, options: MapImportOptions) => {
      const { mapImport } = await import('../map-transfer.ts');
      const { ldif, told, complaints } = await mapImport(file, options);
      for (const line of told) process.stderr.write(`${options.write === true ? '' : 'would change '}${line}\n`);
      tellAll({ text: ldif, complaints });
    });
}
