/** One node: its workers and what they serve. */
import { sizeText } from '../../../../../shared/page/dates.ts';
import { pathOf } from '../api.ts';
import { distance, exactTime } from '../format.ts';
import { roleNames, shortVersion, stateNames, stateTones } from '../nodes.ts';
import { Badge, Card, Facts, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { hrefOf } from '../route.ts';
import { may } from '../session.ts';
import type { NodeView, WorkerView } from '../views.ts';
import { Certificates } from './certificates.tsx';
import { LiveNumbers } from './live-numbers.tsx';
import { Services } from './services.tsx';

export function NodeScreen({ name }: { readonly name: string }) {
  const node = useResource<NodeView>(pathOf('nodes', name), { everyMs: 5000 });
  return (
    <Screen title={`Node ${name}`} above={<a href={hrefOf(['overview'])}>Overview</a>}>
      <Shown of={node}>
        {(view) => (
          <>
            <Card title="State"><div class="panel-body"><Facts of={factsOf(view)} /></div></Card>
            {may('manageReporting') && <LiveNumbers node={name} role={view.role} />}
            <Services node={name} />
            <Certificates of={view} />
            <Card title="Workers"><Table caption={`Workers of ${name}`} columns={workerColumns} rows={view.workers} keyOf={({ pid }) => String(pid)} /></Card>
          </>
        )}
      </Shown>
    </Screen>
  );
}

function factsOf({ role, host, state, reason, configVersion }: NodeView): Parameters<typeof Facts>[0]['of'] {
  return [
    ['Health', <Badge tone={stateTones[state]}>{stateNames[state]}</Badge>],
    ['Reason', reason],
    ['Kind', roleNames[role]],
    ['Host', host],
    ['Configuration', configVersion === undefined ? 'its workers run different versions' : <code>{configVersion}</code>],
  ];
}

const workerColumns: readonly Column<WorkerView>[] = [
  { title: 'Process', kind: 'name', cell: ({ pid }) => pid },
  { title: 'Health', cell: ({ state, reason }) => <><Badge tone={stateTones[state]}>{stateNames[state]}</Badge> {reason}</> },
  { title: 'Started', cell: ({ startedAt }) => <time dateTime={startedAt} title={exactTime(startedAt)}>{distance(startedAt)}</time> },
  { title: 'Memory', kind: 'number', cell: ({ memoryBytes }) => sizeText(memoryBytes) },
  { title: 'Configuration', cell: ({ configVersion }) => <code>{shortVersion(configVersion)}</code> },
];
