/** The program of a back-end node: `waybill backend`. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { runNode } from '../cluster-config/run-node.ts';
import { Failure } from '../shared/base/failure.ts';
import type { ForeignHolder } from '../shared/base/folder-holder.ts';
import { lockDirectory } from './locked-directory.ts';
import { queueDirectoryOf } from './queue-directory.ts';
import { storageDirectoriesOf } from './storage-directories.ts';

/** Runs the node until it is told to stop; then the process ends. Services are loaded in the workers only: the supervisor stays small. */
export async function runBackend({ foreign, ...options }: { readonly configFile: string; readonly nodeName: string | undefined; readonly foreign: ForeignHolder }): Promise<void> {
  const prepare = async (config: NodeConfig): Promise<() => void> => Promise.resolve(lockDirectories(config, foreign));
  await runNode({ ...options, role: 'backend', prepare, start: async (context) => (await import('./backend.ts')).startBackend(context) });
}

/** Storages and queue are held until the supervisor ends, in whatever way: a second node on the same ones is refused. */
function lockDirectories(config: NodeConfig, foreign: ForeignHolder): () => void {
  const { open: directories } = storageDirectoriesOf(config);
  if (directories.length === 0) throw new Failure('bad-input', `storage.directories names no folder for node ${config.nodeName}, or all are taken out (waybill storage attach)`);
  const held: (() => void)[] = [];
  const release = (): void => {
    for (const leave of held.splice(0).reverse()) leave();
  };
  try {
    for (const directory of new Set([...directories, queueDirectoryOf(config)])) held.push(lockDirectory(directory, foreign));
    return release;
  } catch (error) {
    release();
    throw error;
  }
}
