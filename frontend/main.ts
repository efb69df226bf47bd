/** The program of a front-end node: `waybill frontend`. */
import { runNode } from '../cluster-config/run-node.ts';
import { startFrontend } from './frontend.ts';

/** Runs the node until it is told to stop; then the process ends. */
export async function runFrontend(options: { readonly configFile: string; readonly nodeName: string }): Promise<void> {
  await runNode({ ...options, role: 'frontend', prepare: async () => Promise.resolve(() => undefined), start: startFrontend });
}
