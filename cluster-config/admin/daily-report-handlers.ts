/** The daily report over the admin API: made by the back-end that mails it, for whoever asks any node. */
import { mayTouch, nameOf } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { DailyReport } from '../daily-report/daily-report.ts';
import { htmlForm } from '../daily-report/html-form.ts';
import { reporterOf } from '../daily-report/node-targets.ts';
import { plainForm } from '../daily-report/text-form.ts';
import type { NodeConfig } from '../effective.ts';
import { reportOperations } from './contract/reports.ts';

/** @param own of a back-end */
export function dailyReportHandlers(config: NodeConfig, own: DailyReport | undefined): readonly Handled[] {
  const reporter = reporterOf(config);
  const here = reporter === config.nodeName ? own : undefined;
  const elsewhere = (): string => {
    if (reporter === undefined || reporter === config.nodeName) throw new Failure('bad-input', 'this cluster has no back-end, which could make the report');
    return reporter;
  };
  return [
    handled(reportOperations.showDailyReport, async ({ caller, query, ask }) => {
      demandAll(caller);
      if (here === undefined) return reportOperations.showDailyReport.answer.parse(await ask(elsewhere(), `/report/daily${query.day === undefined ? '' : `?day=${query.day}`}`));
      const { day, report } = await here.make(query.day);
      return { day, subject: report.subject, text: plainForm(report), html: htmlForm(report) };
    }),
    handled(reportOperations.mailDailyReport, async ({ caller, body, ask, reply }) => {
      demandAll(caller);
      reply.note({ ...body });
      if (here === undefined) return reportOperations.mailDailyReport.answer.parse(await ask(elsewhere(), '/report/daily/mail', { method: 'POST', body }));
      const { day, id, to } = await here.mailNow(body.day, body.to);
      return { day, node: config.nodeName, id, to: [...to] };
    }),
  ];
}

/** @throws Failure('forbidden') for who administers some domains only: it is about the whole cluster */
function demandAll(caller: Caller): void {
  if (!mayTouch(caller, '')) throw new Failure('forbidden', `${nameOf(caller)} administers some domains only, and this is about the whole cluster`);
}
