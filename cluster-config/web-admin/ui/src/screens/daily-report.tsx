/** The daily report as it is mailed: of which day, what it says, and to send it now. */
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, queryOf } from '../api.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Card, Screen, Shown } from '../parts/screen.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import type { DailyReportView, MailedReport } from '../views.ts';

export function DailyReport() {
  const day = place.value.query.get('day') ?? '';
  const report = useResource<DailyReportView>(`/report/daily${queryOf({ day })}`);
  const shown = day === '' && report.state.at === 'ready' ? report.state.value.day : day;
  const send = async (): Promise<void> => {
    const reply = await ask({
      title: 'Mail the report now?', verb: 'Mail it', text: <p>It goes out beside the one that is due every day.</p>,
      field: { label: 'To, with blanks between', value: '', hint: 'Empty: to whom it goes every day' },
    });
    if (reply.kind === 'no') return;
    const to = reply.text.split(/[\s,]+/).filter((address) => address !== '');
    const sent = await change<MailedReport>('/report/daily/mail', { method: 'POST', body: { to, ...(day === '' ? {} : { day }) } });
    showNote(`The report of ${sent.day} is in the queue of ${sent.node}, to ${sent.to.join(', ')}.`);
  };
  return (
    <Screen title="Daily report" above={<a href={hrefOf(['reports'])}>Reports</a>} lead="What is mailed every day to whom reporting.dailyReport names." actions={<Act does={send}>Mail it now …</Act>}>
      <form key={shown} class="filter" role="search" aria-label="Daily report" onSubmit={(event) => {
        event.preventDefault();
        goTo(hrefOf(['reports', 'daily'], { day: String(new FormData(event.currentTarget).get('day') ?? '') }), 'replace');
      }}>
        <label class="field"><span>Day</span><input name="day" type="date" defaultValue={shown} /></label>
        <button class="button" type="submit">Show</button>
      </form>
      <Shown of={report}>
        {({ subject, text }) => (
          <Card title={subject}><pre class="panel-body report-text" tabIndex={0} aria-label="The report">{text}</pre></Card>
        )}
      </Shown>
    </Screen>
  );
}
