/** One queued message: who waits for it, and what the last tries brought. */
import { sizeText } from '../../../../../shared/page/dates.ts';
import { ApiError, get, pathOf } from '../api.ts';
import { distance, exactTime } from '../format.ts';
import { Badge, Card, Facts, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf } from '../route.ts';
import type { QueuedMessage } from '../views.ts';
import { QueueActs } from './queue-acts.tsx';
import { senderText, State } from './queue-state.tsx';

export function MessageScreen({ node, item }: { readonly node: string; readonly item: string }) {
  const path = pathOf('nodes', node, 'queue', item);
  const message = useResource<QueuedMessage>(path, { everyMs: 5000 });
  const done = async (): Promise<void> => {
    if (await isGone(path)) goTo(hrefOf(['queue']), 'replace');
    else await message.reload();
  };
  return (
    <Screen title={`Queued message ${item}`} above={<a href={hrefOf(['queue'])}>Queue</a>}
      actions={message.state.at === 'ready' && <QueueActs node={node} item={message.state.value} done={done} />}>
      <Shown of={message}>
        {(view) => (
          <>
            <Card title="Message"><div class="panel-body"><Facts of={factsOf(node, view)} /></div></Card>
            <Card title="Recipients"><Table caption="Recipients" columns={columns} rows={view.recipients} keyOf={({ address }) => address} /></Card>
          </>
        )}
      </Shown>
    </Screen>
  );
}

async function isGone(path: string): Promise<boolean> {
  try {
    await get(path);
    return false;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return true;
    throw error;
  }
}

function factsOf(node: string, view: QueuedMessage): Parameters<typeof Facts>[0]['of'] {
  return [
    ['Sender', senderText(view.sender)], ['State', <State item={view} />], ['At', node], ['Size', sizeText(view.bytes)],
    ['Accepted', `${exactTime(view.acceptedAt)} (${distance(view.acceptedAt)})`],
    ...view.fields.map(({ name, value }) => [name, value] as const),
  ];
}

const columns: readonly Column<QueuedMessage['recipients'][number]>[] = [
  { title: 'Recipient', kind: 'name', cell: ({ address }) => address },
  { title: 'State', cell: ({ state }) => <Badge tone={state === 'finished' ? 'good' : 'warn'}>{state}</Badge> },
  { title: 'Goes to', cell: ({ destination }) => destination },
  { title: 'Tries', kind: 'number', cell: ({ tries }) => tries },
  { title: 'Next try', cell: ({ dueAt }) => (dueAt === undefined ? '' : <time dateTime={dueAt} title={exactTime(dueAt)}>{distance(dueAt)}</time>) },
  { title: 'Last answer', kind: 'long', cell: ({ lastWords, why }) => lastWords ?? why ?? '' },
];
