/** The program of a front-end node: `waybill frontend`. */
import { runNode } from '../cluster-config/run-node.ts';

/** Runs the node until it is told to stop; then the process ends. Services are loaded in the workers only: the supervisor stays small. */
export async function runFrontend(options: { readonly configFile: string; readonly nodeName: string | undefined }): Promise<void> {
  await runNode({ ...options, role: 'frontend', prepare: async () => Promise.resolve({ desk: {}, release: () => undefined }), start: async (context) => (await import('./frontend.ts')).startFrontend(context) });
}
