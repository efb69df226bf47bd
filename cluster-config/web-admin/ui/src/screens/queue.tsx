/** The queues of the back-ends: what waits, why, and what can be done; `#/queue/be1/ID` is one message. */
import { useState } from 'preact/hooks';
import { sizeText } from '../../../../../shared/page/dates.ts';
import { pathOf, queryOf } from '../api.ts';
import { countText, distance, exactTime } from '../format.ts';
import { nodesOf, useNodes } from '../nodes.ts';
import { More, usePages } from '../parts/pager.tsx';
import { Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { goTo, hrefOf, place } from '../route.ts';
import type { QueueItem, QueueView } from '../views.ts';
import { MessageScreen } from './message.tsx';
import { QueueActs } from './queue-acts.tsx';
import { senderText, State } from './queue-state.tsx';

interface Filter {
  readonly sender: string;
  readonly recipient: string;
  readonly held: string;
}

export function Queue() {
  const [node, item] = place.value.parts;
  return node === undefined || item === undefined ? <Queues /> : <MessageScreen node={node} item={item} />;
}

function Queues() {
  const { query } = place.value;
  const filter: Filter = { sender: query.get('sender') ?? '', recipient: query.get('recipient') ?? '', held: query.get('held') ?? '' };
  const nodes = useNodes();
  return (
    <Screen title="Queue" lead="Messages that back-ends took and have not delivered to everybody yet.">
      <FilterForm key={query.toString()} filter={filter} />
      <Shown of={nodes}>
        {() => (nodesOf(nodes, 'backend').length === 0
          ? <Empty icon="sent">This cluster has no back-end. Queued messages would be here.</Empty>
          : nodesOf(nodes, 'backend').map(({ name }) => <OfNode key={name} node={name} filter={filter} />))}
      </Shown>
    </Screen>
  );
}

function FilterForm({ filter }: { readonly filter: Filter }) {
  return (
    <form class="filter" role="search" aria-label="Queue" onSubmit={(event) => {
      event.preventDefault();
      const fields = new FormData(event.currentTarget);
      const text = (name: string): string => String(fields.get(name) ?? '').trim();
      goTo(hrefOf(['queue'], { sender: text('sender'), recipient: text('recipient'), held: text('held') }), 'replace');
    }}>
      <label class="field"><span>Sender has</span><input name="sender" type="search" autocapitalize="none" spellcheck={false} defaultValue={filter.sender} /></label>
      <label class="field"><span>A recipient has</span><input name="recipient" type="search" autocapitalize="none" spellcheck={false} defaultValue={filter.recipient} /></label>
      <label class="field"><span>Show</span>
        <select name="held">
          {([['', 'All'], ['yes', 'Held'], ['no', 'Not held']] as const).map(([value, text]) => <option key={value} value={value} selected={value === filter.held}>{text}</option>)}
        </select>
      </label>
      <button class="button" type="submit">Show</button>
    </form>
  );
}

function OfNode({ node, filter }: { readonly node: string; readonly filter: Filter }) {
  const pages = usePages<QueueView>(`${pathOf('nodes', node)}/queue${queryOf({ ...filter })}`, { everyMs: 5000 });
  const [columns] = useState(() => columnsWith(node, async () => pages.first.reload()));
  return (
    <Card title={node}>
      <Shown of={pages.first}>
        {({ items }) => {
          const all = [...items, ...pages.rest.flatMap((page) => page.items)];
          if (all.length === 0) return <Empty icon="sent">{Object.values(filter).some((value) => value !== '') ? 'No message fits.' : `Nothing waits at ${node}. Messages that could not be delivered at once would be here.`}</Empty>;
          return <Table caption={`Queue of ${node}`} columns={columns} rows={all} keyOf={({ id }) => id} />;
        }}
      </Shown>
      <More of={pages} />
    </Card>
  );
}

function columnsWith(node: string, reload: () => Promise<void>): readonly Column<QueueItem>[] {
  return [
    { title: 'Sender', kind: 'name', cell: ({ id, sender }) => <a href={hrefOf(['queue', node, id])}>{senderText(sender)}</a> },
    { title: 'Waits for', kind: 'long', cell: ({ recipients }) => <Waiting recipients={recipients} /> },
    { title: 'State', cell: (item) => <State item={item} /> },
    { title: 'Accepted', cell: ({ acceptedAt }) => <time dateTime={acceptedAt} title={exactTime(acceptedAt)}>{distance(acceptedAt)}</time> },
    { title: 'Size', kind: 'number', cell: ({ bytes }) => sizeText(bytes) },
    { title: 'Acts', kind: 'acts', cell: (item) => <QueueActs node={node} item={item} done={reload} looks="small" /> },
  ];
}

function Waiting({ recipients }: Pick<QueueItem, 'recipients'>) {
  const waiting = recipients.filter(({ state }) => state === 'waiting');
  const words = waiting.find(({ lastWords }) => lastWords !== undefined)?.lastWords;
  return (
    <>
      <div>{waiting.slice(0, 3).map(({ address }) => address).join(', ')}{waiting.length > 3 && ` and ${countText(waiting.length - 3, 'other')}`}</div>
      {words !== undefined && <div class="soft small">{words}</div>}
    </>
  );
}
