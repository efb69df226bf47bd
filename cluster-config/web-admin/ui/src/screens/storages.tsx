/** Storages of all back-ends: there or not, how full; their check, repair and compaction, and the lock for a snapshot. */
import { sizeText } from '../../../../../shared/page/dates.ts';
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf } from '../api.ts';
import { exactTime, numberText } from '../format.ts';
import { nodesOf, useNodes } from '../nodes.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Badge, Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import type { Tone } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import type { Resource } from '../resource.ts';
import type { StorageLock, StoragesView, StorageUnlocked, StorageView } from '../views.ts';
import { StorageJobs, useJobs } from './storage-jobs.tsx';

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
  const jobs = useJobs(node);
  const check = async (): Promise<void> => {
    await change(`${pathOf('nodes', node)}/storages/check`, { method: 'POST', body: {} });
    showNote('The check goes on at the node, also when you leave this page.');
    await jobs.reload();
  };
  const repair = async (): Promise<void> => {
    const reply = await ask({ title: `Repair the storages of ${node}?`, verb: 'Repair them', text: <p>They are checked, and what can be mended is mended, while they are in use. No bytes are thrown away; what is lost is named.</p> });
    if (reply.kind === 'no') return;
    await change(`${pathOf('nodes', node)}/storages/repair`, { method: 'POST', body: {} });
    showNote('The repair goes on at the node, also when you leave this page.');
    await jobs.reload();
  };
  const compact = async (): Promise<void> => {
    await change(`${pathOf('nodes', node)}/storages/compact`, { method: 'POST', body: {} });
    showNote('Files with much that is dead are rewritten; the space is free some minutes later.');
    await jobs.reload();
  };
  return (
    <Card title={node} actions={<div class="acts-row"><Act label={`Check the storages of ${node}`} does={check}>Check</Act><Act label={`Repair the storages of ${node}`} does={repair}>Repair …</Act><Act label={`Compact the storages of ${node}`} does={compact}>Compact</Act><LockActs node={node} storages={storages} /></div>}>
      <Shown of={storages}>
        {({ storages: all }) => <Table caption={`Storages of ${node}`} columns={columns} rows={all} keyOf={({ directory }) => directory} />}
      </Shown>
      {storages.state.at !== 'failed' && <StorageJobs jobs={jobs} />}
    </Card>
  );
}

function LockActs({ node, storages }: { readonly node: string; readonly storages: Resource<StoragesView> }) {
  const { state, reload } = storages;
  const path = `${pathOf('nodes', node)}/storages/lock`;
  const lock = async (): Promise<void> => {
    const reply = await ask({ title: `Lock the storages of ${node}?`, verb: 'Lock them', text: <p>For a snapshot of the disk: everybody reads on, writers wait. It ends by itself after the time that the configuration sets.</p> });
    if (reply.kind === 'no') return;
    const { until } = await change<StorageLock>(path, { method: 'POST', body: {} });
    showNote(`Locked until ${exactTime(until)}.`);
    await reload();
  };
  const unlock = async (): Promise<void> => {
    const { held } = await change<StorageUnlocked>(path, { method: 'DELETE' });
    showNote(held === 'held' ? 'Unlocked: the lock held until now.' : 'The lock had ended before: a snapshot made meanwhile is not of one moment.');
    await reload();
  };
  const isLocked = state.at === 'ready' && state.value.storages.some(({ lockedUntil }) => lockedUntil !== undefined);
  return isLocked ? <Act label={`Unlock the storages of ${node}`} does={unlock}>Unlock</Act> : <Act label={`Lock the storages of ${node}`} does={lock}>Lock …</Act>;
}

const tones: Readonly<Record<StorageView['state'], Tone>> = { ok: 'good', low: 'warn', failed: 'bad', detached: 'warn', attached: 'warn' };
const names: Readonly<Record<StorageView['state'], string>> = { ok: 'good', low: 'nearly full: mail is refused', failed: 'failed', detached: 'taken out', attached: 'being taken in' };

const columns: readonly Column<StorageView>[] = [
  { title: 'Folder', kind: 'name', cell: ({ directory }) => <code>{directory}</code> },
  { title: 'State', cell: ({ state, reason, lockedUntil }) => <><Badge tone={tones[state]}>{names[state]}</Badge>{reason !== undefined && <div class="soft small">{reason}</div>}{lockedUntil !== undefined && <div class="soft small">locked until {exactTime(lockedUntil)}: writers wait</div>}</> },
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
