/** The overview: what needs attention, and all nodes with their health; `#/overview/be1` is one node. */
import { sizeText } from '../../../../../shared/page/dates.ts';
import { countText, distance } from '../format.ts';
import { roleNames, shortVersion, stateNames, stateTones, useNodes } from '../nodes.ts';
import { Badge, Card, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { hrefOf, place } from '../route.ts';
import type { NodesView, NodeView } from '../views.ts';
import { Attention } from './attention.tsx';
import { NodeScreen } from './node.tsx';

export function Overview() {
  const [node] = place.value.parts;
  return node === undefined ? <Cluster /> : <NodeScreen name={node} />;
}

function Cluster() {
  const nodes = useNodes(5000);
  const lead = nodes.state.at === 'ready' ? leadOf(nodes.state.value) : undefined;
  return (
    <Screen title="Overview" lead={lead}>
      <Shown of={nodes}>
        {({ nodes: all }) => (
          <>
            <Attention nodes={all} />
            <Card title="Nodes"><Table caption="Nodes of the cluster" columns={columns} rows={all} keyOf={({ name }) => name} /></Card>
          </>
        )}
      </Shown>
    </Screen>
  );
}

function leadOf({ cluster, nodes }: NodesView): string {
  const ready = nodes.filter(({ state }) => state === 'ready').length;
  return `Cluster ${cluster}: ${ready === nodes.length ? `all ${countText(nodes.length, 'node')} ready` : `${String(ready)} of ${countText(nodes.length, 'node')} ready`}.`;
}

const columns: readonly Column<NodeView>[] = [
  { title: 'Node', kind: 'name', cell: ({ name }) => <a href={hrefOf(['overview', name])}>{name}</a> },
  { title: 'Kind', cell: ({ role }) => roleNames[role] },
  { title: 'Health', cell: ({ state, reason }) => <><Badge tone={stateTones[state]}>{stateNames[state]}</Badge>{reason !== undefined && <div class="soft small">{reason}</div>}</> },
  { title: 'Host', cell: ({ host }) => host },
  { title: 'Configuration', cell: ({ configVersion }) => (configVersion === undefined ? '' : <code>{shortVersion(configVersion)}</code>) },
  { title: 'Workers', kind: 'number', cell: ({ workers }) => (workers.length === 0 ? '' : workers.length) },
  { title: 'Memory', kind: 'number', cell: ({ workers }) => (workers.length === 0 ? '' : sizeText(workers.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0))) },
  { title: 'Running', cell: ({ workers: [first] }) => (first === undefined ? '' : `since ${distance(first.startedAt)}`.replace('since now', 'just started').replace(/^since (.*) ago$/, '$1')) },
];
