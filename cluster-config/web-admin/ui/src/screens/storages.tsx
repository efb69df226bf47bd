/** Storages of all back-ends: there or not, how full. */
import { sizeText } from '../../../../../shared/page/dates.ts';
import { pathOf } from '../api.ts';
import { numberText } from '../format.ts';
import { nodesOf, useNodes } from '../nodes.ts';
import { Badge, Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import type { Tone } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import type { StoragesView, StorageView } from '../views.ts';

export function Storages() {
  const nodes = useNodes();
  return (
    <Screen title="Storages" lead="Where back-ends keep the mail.">
      <Shown of={nodes}>
        {() => (nodesOf(nodes, 'backend').length === 0
          ? <Empty icon="disk">This cluster has no back-end. Storages of back-ends would be here.</Empty>
          : nodesOf(nodes, 'backend').map(({ name }) => <OfNode key={name} node={name} />))}
      </Shown>
    </Screen>
  );
}

function OfNode({ node }: { readonly node: string }) {
  const storages = useResource<StoragesView>(`${pathOf('nodes', node)}/storages`, { everyMs: 15_000 });
  return (
    <Card title={node}>
      <Shown of={storages}>
        {({ storages: all }) => <Table caption={`Storages of ${node}`} columns={columns} rows={all} keyOf={({ directory }) => directory} />}
      </Shown>
    </Card>
  );
}

const tones: Readonly<Record<StorageView['state'], Tone>> = { ok: 'good', low: 'warn', failed: 'bad' };
const names: Readonly<Record<StorageView['state'], string>> = { ok: 'good', low: 'nearly full: mail is refused', failed: 'failed' };

const columns: readonly Column<StorageView>[] = [
  { title: 'Folder', kind: 'name', cell: ({ directory }) => <code>{directory}</code> },
  { title: 'State', cell: ({ state, reason, lockedUntil }) => <><Badge tone={tones[state]}>{names[state]}</Badge>{reason !== undefined && <div class="soft small">{reason}</div>}{lockedUntil !== undefined && <div class="soft small">locked until {lockedUntil}: writers wait</div>}</> },
  { title: 'Accounts', kind: 'number', cell: ({ accounts }) => (accounts === undefined ? '' : numberText(accounts)) },
  { title: 'Mail', kind: 'number', cell: ({ mailBytes }) => (mailBytes === undefined ? '' : sizeText(mailBytes)) },
  { title: 'Disk', cell: (storage) => <Disk {...storage} /> },
];

function Disk({ totalBytes, freeBytes }: StorageView) {
  if (totalBytes === undefined || freeBytes === undefined) return null;
  const used = totalBytes - freeBytes;
  return (
    <div class="disk">
      <meter min={0} max={totalBytes} high={totalBytes * 0.9} value={used} aria-label={`${String(Math.round((used / totalBytes) * 100))} % of the disk used`} />
      <span class="small">{sizeText(freeBytes)} of {sizeText(totalBytes)} free</span>
    </div>
  );
}
