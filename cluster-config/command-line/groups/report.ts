/** `waybill report`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import type { ReportOptions } from '../report-command.ts';
import type { ReportMailOptions } from '../report-mail-command.ts';
import { withApiOptions } from './api-options.ts';
import { defaultConfig, print, tellAll } from './terminal.ts';

export function addReportCommand(program: Command): void {
  const report = program
    .command('report')
    .enablePositionalOptions()
    .description('Show what the nodes have counted in a span of time.')
    .option('--domain <domain>', 'of a domain (where reporting.domains is on)')
    .option('--account <address>', 'of an account (where reporting.accounts is on)')
    .option('--from <when>', 'since then: 30m, 2h, 3d ago, or a time such as 2026-01-31T12:00:00Z', '24h')
    .option('--to <when>', 'until then (else: now)')
    .option('--config <file>', 'the cluster configuration', defaultConfig)
    .option('--json', 'as JSON, every sample by itself, for charts')
    .addHelpText('after', `
Back-ends keep samples for reporting.keepWeeks; front-ends keep nothing but a window in memory, which ends with the process
that has it. Levels, such as the size of the queue, are told as they were last. Exit code 1 when a node does not answer.

Examples:
  $ waybill report --from 2h
  $ waybill report --account alice@example.com --from 7d --json`)
    .action(async (options: ReportOptions) => {
      const { reportText } = await import('../report-command.ts');
      tellAll(await reportText(options));
    });

  withApiOptions(report.command('mail').description('Mail the daily report now, beside the one that is due every day, or print it.'))
    .option('--now', 'mail it now')
    .option('--to <address>', 'to this address instead of reporting.dailyReport.recipients; may be given several times', (address: string, before: readonly string[] = []) => [...before, address])
    .option('--print', 'print it as plain text, and mail nothing')
    .option('--day <day>', 'on this day, such as 2026-11-25 (else: yesterday)')
    .addHelpText('after', `
Days are those of defaultTimeZone. What front-ends have counted is known from the time on when reporting.dailyReport.enable
was set.

Examples:
  $ waybill report mail --print
  $ waybill report mail --now --to ann@example.com`)
    .action(async (options: ReportMailOptions) => {
      const { reportMailText } = await import('../report-mail-command.ts');
      print(await reportMailText(options));
    });
}
