/** What nodes have counted, as charts: of the whole cluster, a domain or an account. */
import { get, queryOf } from '../api.ts';
import { LineChart } from '../charts/line-chart.tsx';
import { nodesOf, useNodes } from '../nodes.ts';
import { Empty, Screen, Shown, Trouble } from '../parts/screen.tsx';
import { accountCharts, countersOf, serverCharts } from '../reports/catalogue.ts';
import type { ChartGroup } from '../reports/catalogue.ts';
import { everPresent, firstOf, linesOf } from '../reports/lines.ts';
import type { Span } from '../reports/lines.ts';
import { useReading } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import { session } from '../session.ts';
import type { NodeReport, ReportView } from '../views.ts';
import { DailyReport } from './daily-report.tsx';

const hourMs = 3_600_000;
/** With the points that make round steps of them. */
const periods = {
  minutes: { text: 'the last 10 minutes', spanMs: hourMs / 6, points: 61 },
  hour: { text: 'the last hour', spanMs: hourMs, points: 61 },
  day: { text: 'the last day', spanMs: 24 * hourMs, points: 97 },
  week: { text: 'the last week', spanMs: 168 * hourMs, points: 85 },
  month: { text: 'the last 4 weeks', spanMs: 672 * hourMs, points: 113 },
} as const;
type Period = keyof typeof periods;

const scopes = { server: 'the whole cluster', domain: 'a domain', account: 'an account' } as const;
type Scope = keyof typeof scopes;

interface Choice {
  readonly scope: Scope;
  readonly name: string;
  readonly period: Period;
  /** All when empty. */
  readonly node: string;
}

export function Reports() {
  return place.value.parts[0] === 'daily' ? <DailyReport /> : <Counted />;
}

function Counted() {
  const choice = choiceOf(place.value.query);
  return (
    <Screen title="Reports" lead="What the nodes have counted." actions={mayReadAll() && <a class="button" href={hrefOf(['reports', 'daily'])}>Daily report</a>}>
      <ChoiceForm key={place.value.query.toString()} choice={choice} />
      {choice.scope !== 'server' && choice.name === ''
        ? <Empty icon="chart">Give {choice.scope === 'domain' ? 'the name of a domain' : 'the address of an account'}. Its logins and messages would be here.</Empty>
        : <Charts key={`${choice.scope} ${choice.name} ${choice.period}`} choice={choice} />}
    </Screen>
  );
}

/** The daily report is about the whole cluster. */
function mayReadAll(): boolean {
  return session.value.at === 'signed-in' && session.value.who.domains.length === 0;
}

/** Who administers some domains only begins with the first of them. */
function choiceOf(query: URLSearchParams): Choice {
  const mine = session.value.at === 'signed-in' ? session.value.who.domains : [];
  const isOneOf = <Name extends string>(names: Readonly<Record<Name, unknown>>, given: string | null): given is Name => given !== null && Object.hasOwn(names, given);
  const scope = query.get('scope');
  const period = query.get('period');
  return {
    scope: isOneOf(scopes, scope) ? scope : mine.length === 0 ? 'server' : 'domain',
    name: query.get('name') ?? mine[0] ?? '', period: isOneOf(periods, period) ? period : 'hour', node: query.get('node') ?? '',
  };
}

function ChoiceForm({ choice: { scope, name, period, node } }: { readonly choice: Choice }) {
  const nodes = useNodes();
  const names = [...nodesOf(nodes, 'frontend'), ...nodesOf(nodes, 'backend')].map((one) => one.name);
  return (
    <form class="filter filter-short" role="search" aria-label="Reports" onChange={(event) => {
      // A field that is written in is submitted by Enter.
      if (event.target instanceof HTMLSelectElement) event.currentTarget.requestSubmit();
    }} onSubmit={(event) => {
      event.preventDefault();
      const fields = new FormData(event.currentTarget);
      const text = (field: string): string => String(fields.get(field) ?? '').trim();
      goTo(hrefOf(['reports'], { scope: text('scope'), name: text('scope') === scope ? text('name') : '', period: text('period'), node: text('node') }), 'replace');
    }}>
      <label class="field"><span>Of</span>
        <select name="scope">{Object.entries(scopes).map(([value, text]) => <option key={value} value={value} selected={value === scope}>{text}</option>)}</select>
      </label>
      {scope !== 'server' && (
        <label class="field"><span>{scope === 'domain' ? 'Domain' : 'Account'}</span>
          <input name="name" type="search" autocapitalize="none" spellcheck={false} maxLength={320} defaultValue={name} placeholder={scope === 'domain' ? 'example.com' : 'alice@example.com'} />
        </label>
      )}
      <label class="field"><span>Within</span>
        <select name="period">{Object.entries(periods).map(([value, { text }]) => <option key={value} value={value} selected={value === period}>{text}</option>)}</select>
      </label>
      <label class="field"><span>Nodes</span>
        <select key={names.length} name="node"><option value="">all</option>{names.map((each) => <option key={each} value={each} selected={each === node}>{each}</option>)}</select>
      </label>
      <button class="button" type="submit">Show</button>
    </form>
  );
}

function Charts({ choice: { scope, name, period, node } }: { readonly choice: Choice }) {
  const { spanMs, points } = periods[period];
  const groups = scope === 'server' ? serverCharts : accountCharts;
  const report = useReading<ReportView & { readonly toMs: number }>(`${scope} ${name} ${period}`, async (activity, signal) => {
    const toMs = Date.now();
    const counters = [...countersOf(groups), ...(scope === 'server' ? [everPresent] : [])].join(',');
    const query = queryOf({ scope, name: scope === 'server' ? undefined : name, from: String(toMs - spanMs), to: String(toMs), points: String(points), counters });
    return { ...await get<ReportView>(`/report${query}`, { activity, signal }), toMs };
  }, { everyMs: 60_000 });
  return (
    <Shown of={report}>
      {({ nodes, silent, toMs }) => {
        const shown = nodes.filter((one) => node === '' || one.node === node);
        const span = { fromMs: Math.max(toMs - spanMs, firstOf(shown)), toMs };
        return (
          <>
            {silent.map((one) => <Trouble key={one.node} text={`${one.node} does not answer (${one.reason}): what it counted is not among these.`} />)}
            {notesOf(shown, scope).map((text) => <p key={text} class="notice" role="status">{text}</p>)}
            {groups.map((group) => <Group key={group.title} group={group} nodes={shown} span={span} />)}
          </>
        );
      }}
    </Shown>
  );
}

/** What one should know of these numbers. */
function notesOf(nodes: readonly NodeReport[], scope: Scope): readonly string[] {
  const windows = nodes.filter(({ keeps }) => keeps === 'window').map(({ node }) => node);
  const cut = nodes.filter(({ isWhole }) => !isWhole).map(({ node }) => node);
  return [
    ...(scope !== 'server' && nodes.every(({ series }) => series.length === 0) ? [`Nothing was counted. Back-ends count by ${scope} where reporting.${scope}s is on.`] : []),
    ...(scope === 'server' && windows.length > 0 ? [`Front-ends keep nothing on disk: ${windows.join(' and ')} ${windows.length === 1 ? 'tells' : 'tell'} what was counted since the start.`] : []),
    ...(cut.length > 0 ? [`${cut.join(' and ')} had more than one answer takes: the oldest is missing.`] : []),
  ];
}

function Group({ group: { title, kinds }, nodes, span }: { readonly group: ChartGroup; readonly nodes: readonly NodeReport[]; readonly span: Span }) {
  const charts = kinds.map((kind) => ({ ...linesOf(nodes.filter(({ series }) => series.some(({ counter }) => kind.counters.includes(counter))), kind, span), kind }));
  return (
    <section class="chart-group" aria-label={title}>
      <h2>{title}</h2>
      <div class="charts">{charts.map(({ kind, ...lines }) => <LineChart key={kind.title} title={kind.title} about={kind.about} unit={kind.unit} {...lines} />)}</div>
    </section>
  );
}
