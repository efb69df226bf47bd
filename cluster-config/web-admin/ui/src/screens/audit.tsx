/** What administrators did, at all nodes, the newest first. */
import { queryOf, pathOf } from '../api.ts';
import { countText, exactTime } from '../format.ts';
import { useNodes } from '../nodes.ts';
import { Badge, Card, Empty, Screen, Shown, Trouble } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useNodeAnswers } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import type { AuditEntry, AuditView } from '../views.ts';

export function Audit() {
  const address = place.value.query.get('address') ?? '';
  const nodes = useNodes();
  return (
    <Screen title="Audit" lead="What administrators did, and what was refused to them.">
      <form key={address} class="filter" role="search" aria-label="Audit" onSubmit={(event) => {
        event.preventDefault();
        goTo(hrefOf(['audit'], { address: String(new FormData(event.currentTarget).get('address') ?? '').trim() }), 'replace');
      }}>
        <label class="field"><span>Acts on the account</span><input name="address" type="search" inputMode="email" autocapitalize="none" spellcheck={false} defaultValue={address} placeholder="alice@example.com" pattern="[^@ ]+@[^@ ]+" title="A whole mail address" /></label>
        <button class="button" type="submit">Show</button>
      </form>
      <Shown of={nodes}>
        {({ nodes: all }) => <Entries key={address} nodes={all.map(({ name }) => name)} address={address} />}
      </Shown>
    </Screen>
  );
}

function Entries({ nodes, address }: { readonly nodes: readonly string[]; readonly address: string }) {
  const said = useNodeAnswers<AuditView>(nodes, (node) => `${pathOf('nodes', node, 'audit')}${queryOf({ address })}`);
  return (
    <Shown of={said}>
      {({ answers, silent }) => {
        const entries = answers.flatMap(({ answer }) => answer.entries).sort((one, other) => other.time.localeCompare(one.time));
        const cut = answers.filter(({ answer }) => !answer.complete).map(({ node }) => node);
        return (
          <>
            {silent.map(({ node, why }) => <Trouble key={node} text={`${why} What was done at ${node} is not among these.`} />)}
            <Card title={countText(entries.length, 'act')}>
              {entries.length === 0
                ? <Empty icon="audit">Nothing was done{address === '' ? '' : ` to ${address}`}. Sign-ins, changes and refusals would be here.</Empty>
                : <Table caption="What administrators did" columns={columns} rows={entries} keyOf={({ node, reference, time, what }) => `${node} ${reference} ${time} ${what}`} />}
              {cut.length > 0 && <p class="panel-foot">The newest of each node; {cut.join(', ')} {cut.length === 1 ? 'has' : 'have'} older ones.</p>}
            </Card>
          </>
        );
      }}
    </Shown>
  );
}

const columns: readonly Column<AuditEntry>[] = [
  { title: 'Time', kind: 'name', cell: ({ time }) => <time dateTime={time}>{exactTime(time)}</time> },
  { title: 'Who', cell: (entry) => <Who {...entry} /> },
  { title: 'From', cell: ({ from }) => from },
  { title: 'Node', cell: ({ node, via }) => (via === undefined ? node : `${node}, by way of ${via}`) },
  { title: 'What', kind: 'long', cell: ({ what, facts }) => <>{wordsOf(what)}<Facts of={facts} /></> },
  { title: 'Result', cell: ({ result, reason }) => <><Badge tone={result === 'done' ? 'good' : 'bad'}>{result}</Badge>{reason !== undefined && <div class="soft small">{reason}</div>}</> },
];

/** Who signs in has proved nothing yet, but says a name. */
function Who({ who, by, facts }: AuditEntry) {
  if (by !== 'nothing') return <>{who} <span class="soft small">by {by}</span></>;
  return <>{typeof facts['name'] === 'string' ? facts['name'] : who} <span class="soft small">not signed in before</span></>;
}

/** The name of an operation as words: `startMove` is “Start move”. */
function wordsOf(what: string): string {
  const words = what.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function Facts({ of }: { readonly of: AuditEntry['facts'] }) {
  const told = Object.entries(of).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return told.length === 0 ? null : <div class="soft small">{told.join(' · ')}</div>;
}
