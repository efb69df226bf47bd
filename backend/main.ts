/** The program of a back-end node: `waybill backend`. */
import type { Prepare } from '../cluster-config/node-process.ts';
import { runNode } from '../cluster-config/run-node.ts';
import type { ForeignHolder } from '../shared/base/folder-holder.ts';
import { HeldDirectories } from './held-directories.ts';
import { finishJoining } from './broken-joining.ts';

/** Runs the node until it is told to stop; then the process ends. Services are loaded in the workers only: the supervisor stays small. */
export async function runBackend({ foreign, ...options }: { readonly configFile: string; readonly nodeName: string | undefined; readonly foreign: ForeignHolder }): Promise<void> {
  const prepare: Prepare = async (config, renew, log) => {
    await finishJoining(config, { foreign, log });
    const held = new HeldDirectories(config, foreign, log);
    return { desk: held.desk(renew), release: () => held.release() };
  };
  await runNode({ ...options, role: 'backend', prepare, start: async (context) => (await import('./backend.ts')).startBackend(context) });
}
