/** A node that takes a storage out or in, until it is killed: `node storage-change-worker.ts '<ChangeTask as JSON>'`. */
import { StorageNode, command } from '../backend/storage/storage-node.ts';

export interface ChangeTask {
  readonly folder: string;
  readonly act: 'attachStorage' | 'detachStorage';
}

const { folder, act } = JSON.parse(process.argv[2] ?? '{}') as ChangeTask;
const ends: (() => unknown)[] = [];
const node = new StorageNode({ after: (end) => void ends.push(end as () => unknown) }, folder);
const worker = await node.start();
await command(node, worker, [act, { directory: node.two, ...(act === 'detachStorage' ? { addresses: 'keep' } : {}) }]);
for (const end of ends.reverse()) await end();
