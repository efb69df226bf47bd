/**
 * The main of a node's processes. The first process is the supervisor: it reads and watches the configuration and keeps the
 * workers. The forked ones run what front-end or back-end start. Only here are signals, exit codes and the process's own
 * channel handled.
 */
import cluster from 'node:cluster';
import { readFile } from 'node:fs/promises';
import { logTo } from '../shared/log/log.ts';
import type { Logger } from '../shared/log/log.ts';
import type { LogService } from '../shared/log/log-service.ts';
import { keepLogFiles } from '../shared/log/rotation.ts';
import { supervise } from '../shared/service/supervisor.ts';
import type { Supervisor, SupervisorOptions } from '../shared/service/supervisor.ts';
import { runWorker } from '../shared/service/worker.ts';
import type { NodeServices, WorkerContext } from '../shared/service/worker.ts';
import { ConnectionCounts } from '../shared/access/connection-counts.ts';
import { removeStaleSocket } from '../shared/net/listen-place.ts';
import { inheritedSockets, readPassedSockets } from '../shared/net/inherited-sockets.ts';
import type { NodeConfig } from './effective.ts';
import { watchConfig } from './file-source.ts';
import { measureCertificates } from './certificate-metrics.ts';
import { watchNamedFiles } from './named-files.ts';
import { logFiles, openNodeLog } from './node-log.ts';
import { unixSocketFiles } from './listeners.ts';
import type { Doors } from './listeners.ts';
import { configOfNode, parseConfig } from './load.ts';
import { ConfigurationRefused } from './problem.ts';
import type { Role } from './schema.ts';

/** What a worker is started with. */
export interface NodeContext extends WorkerContext {
  readonly config: NodeConfig;
  readonly log: Logger;
  /** Takes lines of other nodes, too. */
  readonly logService: LogService;
  readonly doors: Doors;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface RunNodeOptions {
  readonly configFile: string;
  readonly nodeName: string;
  readonly role: Role;
  /** Done once in the supervisor before any worker starts; a rejection stops the node with its words. What it answers is called at the end. */
  readonly prepare: (config: NodeConfig) => Promise<() => void>;
  /** Starts everything of one worker. */
  readonly start: (context: NodeContext) => Promise<NodeServices>;
}

/**
 * V8's own choice of a young generation (16 MB and more) is for programs whose garbage is large. A front-end's sessions live
 * long and are small: with 2 MB an idle one costs a third of the memory, and a login no more time (docs/decisions.md).
 */
const engineFlags: Readonly<Record<Role, readonly string[]>> = { frontend: ['--max-semi-space-size=2'], backend: [] };

/** Runs the node until it is told to stop; then the process ends. */
export async function runNode(options: RunNodeOptions): Promise<void> {
  if (cluster.isPrimary) await runSupervisor(options);
  else await runOneWorker(options);
}

async function runSupervisor(options: RunNodeOptions): Promise<void> {
  const first = await readFile(options.configFile, 'utf8').catch((error: unknown) => {
    throw new ConfigurationRefused(options.configFile, [{ path: [], text: `can't be read: ${error instanceof Error ? error.message : String(error)}` }]);
  });
  const config = nodeConfig(options, first);
  const logService = openNodeLog(config);
  const log = logTo(logService, options.nodeName);
  const release = await options.prepare(config);
  await clearSocketFiles(config);
  cluster.setupPrimary({ execArgv: [...process.execArgv, ...engineFlags[options.role]] });
  const supervisor = supervise(supervisorOptions(options, first, log));
  stopOnSignals({ supervisor, log, release: async () => {
    release();
    await logService.close();
  } });
  try {
    await supervisor.started;
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  log.info({ version: config.version }, 'ready');
  process.send?.({ ready: true });
  let inUse = first;
  let kept = logFiles(config);
  keepLogFiles(() => kept, (error, file) => log.warn({ err: error, file }, 'log file could not be put away'));
  const files = watchNamedFiles({
    log,
    onShown: () => supervisor.renew(),
    onOthers: async () => supervisor.reload(supervisorOptions(options, inUse, log)),
  });
  await files.follow(config);
  const watch = watchConfig(options.configFile, {
    initialText: first,
    log,
    onVersion: async (text) => {
      await clearSocketFiles(nodeConfig(options, text));
      await supervisor.reload(supervisorOptions(options, text, log));
      inUse = text;
      kept = logFiles(nodeConfig(options, text));
      await files.follow(nodeConfig(options, text));
      log.info({ version: nodeConfig(options, text).version }, 'runs the new configuration');
    },
  });
  process.on('SIGHUP', () => {
    watch.lookNow().then(async () => files.lookNow()).catch((error: unknown) => log.error({ err: error }, 'could not look at the configuration'));
  });
}

function nodeConfig(options: RunNodeOptions, text: string): NodeConfig {
  const config = configOfNode(parseConfig(text, options.configFile), options.nodeName, options.configFile);
  if (config.role === options.role) return config;
  throw new ConfigurationRefused(options.configFile, [
    { path: ['nodes', options.nodeName, 'role'], text: `${options.nodeName} is a ${config.role}; start it with: waybill ${config.role}` },
  ]);
}

function supervisorOptions(options: RunNodeOptions, text: string, log: Logger): SupervisorOptions {
  const config = nodeConfig(options, text);
  return { log, workers: config.workers, drainMs: config.drainSeconds * 1000, retireMs: config.retireSeconds * 1000, configuration: text, sockets: inheritedSockets(process.env, process.pid) };
}

/** What a node that was killed left behind would be in the way. */
async function clearSocketFiles(config: NodeConfig): Promise<void> {
  await Promise.all(unixSocketFiles(config).map(removeStaleSocket));
}

/** SIGTERM and SIGINT drain; so does the end of the process that started us, if it gave us a channel. */
function stopOnSignals({ supervisor, log, release }: { readonly supervisor: Supervisor; readonly log: Logger; readonly release: () => Promise<void> }): void {
  let stopping = false;
  const stop = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    supervisor.stop().then(release).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (process.send !== undefined) process.on('disconnect', () => stop('the parent process is gone'));
}

async function runOneWorker(options: RunNodeOptions): Promise<void> {
  // The terminal sends Ctrl-C to all processes; the supervisor decides when a worker leaves.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  const channel = {
    send: (report: object): void => {
      if (process.connected) process.send?.(report);
    },
    onMessage: (listener: (message: unknown) => void): void => {
      process.on('message', listener);
    },
  };
  let logService: LogService | undefined;
  const ended = await runWorker(channel, async (context) => {
    const config = nodeConfig(options, context.configuration);
    logService = openNodeLog(config);
    const log = logTo(logService, options.nodeName);
    endOnFault(log);
    measureCertificates(config);
    const { siblings } = context;
    const doors = { counts: new ConnectionCounts({ workers: config.workers, siblings }), sockets: readPassedSockets(process.env) };
    return options.start({ ...context, config, log, logService, doors, environment: process.env });
  });
  await logService?.close();
  process.exit(ended === 'drained' ? 0 : 1);
}

/** A fault that nobody caught leaves unknown state behind: this worker ends, the supervisor starts another. */
function endOnFault(log: Logger): void {
  const end = (error: unknown): void => {
    log.fatal({ err: error }, 'fault in a worker; it ends');
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
