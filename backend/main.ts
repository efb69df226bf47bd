/** The program of a back-end node: `waybill backend`. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { runNode } from '../cluster-config/run-node.ts';
import { Failure } from '../shared/base/failure.ts';
import { lockFolder } from '../shared/base/folder-lock.ts';

/** Runs the node until it is told to stop; then the process ends. Services are loaded in the workers only: the supervisor stays small. */
export async function runBackend(options: { readonly configFile: string; readonly nodeName: string | undefined }): Promise<void> {
  await runNode({ ...options, role: 'backend', prepare: lockStorages, start: async (context) => (await import('./backend.ts')).startBackend(context) });
}

/** Held until the supervisor ends, in whatever way: a second node on the same storages is refused. */
async function lockStorages(config: NodeConfig): Promise<() => void> {
  const { directories } = config.storage;
  if (directories.length === 0) throw new Failure('bad-input', `storage.directories names no folder for node ${config.nodeName}`);
  const locks = directories.map((directory) => lockFolder(directory, 'supervisor.lock'));
  return Promise.resolve(() => {
    for (const lock of locks) lock.release();
  });
}
