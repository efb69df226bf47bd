/** `waybill machine`: several nodes of one configuration that share a machine, in one process tree: started together, restarted each by itself, stopped in order. */
import { Program } from '../demo/node-process.ts';
import { configOfNode } from '../load.ts';
import { loadConfig } from './load-config.ts';
import type { NodeConfig } from '../effective.ts';
import { programFile } from '../../shared/base/program-file.ts';
import { UsageError } from './usage-error.ts';

export interface MachineOptions {
  readonly config: string;
  /** Names of nodes, with commas. */
  readonly nodes: string;
}

/** Runs until it is told to stop. @throws ConfigurationRefused, UsageError; DemoRefused when a node can't start */
export async function machineCommand({ config: file, nodes }: MachineOptions): Promise<void> {
  const names = nodes.split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (names.length === 0 || new Set(names).size !== names.length) throw new UsageError('--nodes takes names of nodes, with commas, each once');
  const loaded = await loadConfig(file);
  const machine = new Machine(file, names.map((name) => configOfNode(loaded, name, file)));
  await machine.run();
}

class Machine {
  /** Back-ends before front-ends, as they are started. */
  readonly #programs: readonly { readonly program: Program; readonly graceMs: number }[];

  constructor(file: string, nodes: readonly NodeConfig[]) {
    const ordered = nodes.toSorted((one, other) => one.role.localeCompare(other.role));
    this.#programs = ordered.map(({ nodeName, role, drainSeconds }) => ({
      program: new Program({
        name: nodeName,
        nodeArguments: ['--disable-warning=DEP0060', programFile, role, '--config', file, '--node', nodeName],
        logFile: undefined,
        report: (text) => { process.stderr.write(`waybill: ${text}\n`); },
      }),
      // As long as the node itself takes at most.
      graceMs: (drainSeconds + 10) * 1000,
    }));
  }

  async run(): Promise<void> {
    const told = Promise.withResolvers<undefined>();
    process.on('SIGTERM', () => told.resolve(undefined));
    process.on('SIGINT', () => told.resolve(undefined));
    process.on('SIGHUP', () => { for (const { program: node } of this.#programs) node.signal('SIGHUP'); });
    if (process.send !== undefined) process.on('disconnect', () => told.resolve(undefined));
    try {
      for (const { program: node } of this.#programs) await node.start();
      process.send?.({ ready: true });
      await told.promise;
    } finally {
      for (const { program: node, graceMs } of this.#programs.toReversed()) await node.stop(graceMs);
      if (process.connected) process.disconnect();
    }
  }
}
