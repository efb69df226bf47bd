/** The versions that were published: what differs between any two, and the way back to one. */
import { useEffect } from 'preact/hooks';
import { showNote } from '../../../../../../shared/page/toasts.tsx';
import { change } from '../../api.ts';
import { distance, exactTime } from '../../format.ts';
import { Act } from '../../parts/act.tsx';
import { More, usePages } from '../../parts/pager.tsx';
import { ask } from '../../parts/question.tsx';
import { Badge, Card, Shown } from '../../parts/screen.tsx';
import { Table } from '../../parts/table.tsx';
import type { Column } from '../../parts/table.tsx';
import { goTo, hrefOf, place } from '../../route.ts';
import { Compare } from './compare.tsx';
import type { PublishedView, VersionFacts, VersionsView } from './views.ts';

export function History() {
  const pages = usePages<VersionsView>('/configuration/versions?limit=50');
  return (
    <Shown of={pages.first}>
      {(first) => {
        const versions = [first, ...pages.rest].flatMap((page) => page.versions);
        const newest = versions[0]?.number ?? 0;
        return (
          <>
            <Comparison versions={versions} />
            <Card title="Versions">
              <Table caption="Published versions" columns={columnsWith(newest)} rows={versions} keyOf={({ number }) => String(number)} />
              <More of={pages} />
            </Card>
          </>
        );
      }}
    </Shown>
  );
}

function hrefOfComparison(before: number, after: number): string {
  return hrefOf(['configuration', 'history'], { before: String(before), after: String(after) });
}

function columnsWith(newest: number): readonly Column<VersionFacts>[] {
  return [
    { title: 'Version', kind: 'name', cell: ({ number }) => <>{number}{number === newest && <> <Badge tone="good">published</Badge></>}</> },
    { title: 'When', cell: ({ at }) => (at === '' ? '' : <time dateTime={at} title={exactTime(at)}>{distance(at)}</time>) },
    { title: 'Who', kind: 'long', cell: ({ by }) => by },
    { title: 'What for', kind: 'long', cell: ({ message }) => message },
    {
      title: 'Acts', kind: 'acts', cell: (version) => (
        <>
          {version.number > 1 && <a class="button button-small" aria-label={`What version ${String(version.number)} changed`} href={hrefOfComparison(version.number - 1, version.number)}>What changed</a>}
          {version.number !== newest && <Act looks="small" label={`Roll back to version ${String(version.number)}`} does={async () => rollBack(version, newest)}>Roll back …</Act>}
        </>
      ),
    },
  ];
}

async function rollBack({ number, by, at, message }: VersionFacts, newest: number): Promise<void> {
  const reply = await ask({
    title: `Roll back to version ${String(number)}?`, verb: `Publish version ${String(number)} again`, danger: 'yes',
    text: <p>Its content (by {by}, {exactTime(at)}{message === '' ? '' : `: ${message}`}) is published as version {newest + 1}, and all nodes put it to use. What versions {number + 1} to {newest} changed is taken back; they stay in the history.</p>,
    field: { label: 'What for', value: `back to version ${String(number)}` },
  });
  if (reply.kind === 'no') return;
  const published = await change<PublishedView>('/configuration/rollback', { method: 'POST', body: { version: number, after: newest, message: reply.text.slice(0, 240) } });
  showNote(`Version ${String(published.number)} is published.`);
  goTo(hrefOf(['configuration', 'nodes']));
}

/** Two versions chosen from the list, and what differs; the address keeps which. */
function Comparison({ versions }: { readonly versions: readonly VersionFacts[] }) {
  const [before, after] = ['before', 'after'].map((name) => Number(place.value.query.get(name)));
  // A link of the list below was followed.
  useEffect(() => document.getElementById('content')?.scrollTo(0, 0), [before, after]);
  const numbers = versions.map(({ number }) => number);
  const known = [before, after].flatMap((one) => (one === undefined || one === 0 || numbers.includes(one) ? [] : [one]));
  const choice = (label: string, value: number, choose: (chosen: number) => void) => (
    <label class="field narrow"><span>{label}</span>
      <select value={value === 0 ? '' : String(value)} onChange={(event) => choose(Number(event.currentTarget.value))}>
        {value === 0 && <option value="">–</option>}
        {[...numbers, ...known].map((number) => <option key={number} value={number}>Version {number}</option>)}
      </select>
    </label>
  );
  const show = (one: number, other: number): void => goTo(hrefOfComparison(one, other), 'replace');
  return (
    <Card title="Compare">
      <div class="panel-body compare-form">
        {choice('Before', before ?? 0, (chosen) => show(chosen, after ?? 0))}
        {choice('After', after ?? 0, (chosen) => show(before ?? 0, chosen))}
      </div>
      {before !== undefined && before > 0 && after !== undefined && after > 0 && <Compare of={`${String(before)} ${String(after)}`} sides={{ before: { version: before }, after: { version: after } }} label={`From version ${String(before)} to ${String(after)}`} />}
    </Card>
  );
}
