/** The program of a back-end node: `waybill backend`. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { runNode } from '../cluster-config/run-node.ts';
import { Failure } from '../shared/base/failure.ts';
import { holderOf, holdFolder } from '../shared/base/folder-holder.ts';
import type { ForeignHolder } from '../shared/base/folder-holder.ts';
import { lockFolder } from '../shared/base/folder-lock.ts';
import { queueDirectoryOf } from './queue-directory.ts';

/** Runs the node until it is told to stop; then the process ends. Services are loaded in the workers only: the supervisor stays small. */
export async function runBackend({ foreign, ...options }: { readonly configFile: string; readonly nodeName: string | undefined; readonly foreign: ForeignHolder }): Promise<void> {
  const prepare = async (config: NodeConfig): Promise<() => void> => Promise.resolve(lockDirectories(config, foreign));
  await runNode({ ...options, role: 'backend', prepare, start: async (context) => (await import('./backend.ts')).startBackend(context) });
}

/** Storages and queue are held until the supervisor ends, in whatever way: a second node on the same ones is refused. */
function lockDirectories(config: NodeConfig, foreign: ForeignHolder): () => void {
  const { directories } = config.storage;
  if (directories.length === 0) throw new Failure('bad-input', `storage.directories names no folder for node ${config.nodeName}`);
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

function lockDirectory(directory: string, foreign: ForeignHolder): () => void {
  const lock = locked(directory);
  try {
    const leave = holdFolder(directory, foreign);
    return () => {
      leave();
      lock.release();
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function locked(directory: string): ReturnType<typeof lockFolder> {
  try {
    return lockFolder(directory, 'supervisor.lock');
  } catch (error) {
    const holder = error instanceof Failure ? holderOf(directory) : undefined;
    if (holder === undefined) throw error;
    throw new Failure('in-use', `${directory} is in use by ${holder}`, { cause: error });
  }
}
