#!/usr/bin/env node
/** The command line of Waybill: runs what was typed, and tells how it ended. */
import { ConfigurationRefused } from './cluster-config/problem.ts';
import { createProgram } from './cluster-config/command-line/program.ts';
import { UsageError } from './cluster-config/command-line/usage-error.ts';
import { DemoRefused } from './cluster-config/demo/demo-refused.ts';
import { Failure } from './shared/base/failure.ts';
import { WorkerFailed } from './shared/service/worker-failed.ts';

const program = createProgram({
  frontend: async ({ config, node }) => {
    const { runFrontend } = await import('./frontend/main.ts');
    await runFrontend({ configFile: config, nodeName: node });
  },
  backend: async ({ config, node, takeOver }) => {
    const { runBackend } = await import('./backend/main.ts');
    await runBackend({ configFile: config, nodeName: node, foreign: takeOver === true ? 'take-over' : 'refuse' });
  },
  offlineStorage: async () => import('./backend/offline-storage.ts'),
});

/** Errors that a user can act on are told in their own words; for all others the stack is worth having. */
function tell(error: unknown): void {
  const expected = error instanceof ConfigurationRefused || error instanceof DemoRefused || error instanceof UsageError || error instanceof Failure || error instanceof WorkerFailed;
  const text = expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`waybill: ${text}\n`);
}

try {
  await program.parseAsync();
} catch (error) {
  tell(error);
  process.exit(1);
}
