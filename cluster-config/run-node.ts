/**
 * The main of a node's processes. The first process keeps the workers (node-process.ts). The forked ones run what front-end or back-end start.
 * Only here are signals, exit codes and the process's own channel handled.
 */
import cluster from 'node:cluster';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import { logTo } from '../shared/log/log.ts';
import type { Logger } from '../shared/log/log.ts';
import type { LogService } from '../shared/log/log-service.ts';
import { tellServiceManager } from '../shared/service/ready-notice.ts';
import { runWorker } from '../shared/service/worker.ts';
import type { NodeServices, WorkerContext } from '../shared/service/worker.ts';
import { ConnectionCounts } from '../shared/access/connection-counts.ts';
import { inheritedSockets, readPassedSockets } from '../shared/net/inherited-sockets.ts';
import { measureCertificates } from './certificate-ends.ts';
import type { NodeConfig } from './effective.ts';
import { takeHeldFiles } from './held-files.ts';
import type { Doors } from './listeners.ts';
import { openNodeLog } from './node-log.ts';
import { NodeProcess } from './node-process.ts';
import type { Prepare } from './node-process.ts';
import { commandSlots, workersOf } from './threads.ts';
import { ConfigurationRefused } from './problem.ts';
import { useProcessParameters } from './process-parameters.ts';
import { nodeRoutes } from './publishing/node-routes.ts';
import { openSource } from './publishing/source.ts';
import type { SourceVersion } from './publishing/source-version.ts';
import type { Role } from './schema.ts';
import { nodeConfig, readOrder } from './worker-order.ts';

/** What a worker is started with. */
export interface NodeContext extends WorkerContext {
  readonly config: NodeConfig;
  readonly log: Logger;
  /** Takes lines of other nodes, too. */
  readonly logService: LogService;
  readonly doors: Doors;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What every node answers on its admin API, whatever its role. */
  readonly nodeRoutes: readonly AdminRoute[];
  /** The text that this worker runs, and where it is from. */
  readonly source: SourceVersion;
}

export interface RunNodeOptions {
  /** A configuration, or a bootstrap file that leads to a published one. */
  readonly configFile: string;
  /** Where the bootstrap file does not say it. */
  readonly nodeName: string | undefined;
  readonly role: Role;
  /** In the first process. */
  readonly prepare: Prepare;
  /** Starts everything of one worker. */
  readonly start: (context: NodeContext) => Promise<NodeServices>;
}

/** Runs the node until it is told to stop; then the process ends. */
export async function runNode(options: RunNodeOptions): Promise<void> {
  if (cluster.isPrimary) await runFirst(options);
  else await runOneWorker(options);
}

async function runFirst({ configFile, nodeName, role, prepare }: RunNodeOptions): Promise<void> {
  const source = await openSource(configFile, { node: nodeName, role, environment: process.env });
  const name = source.node ?? nodeName;
  if (name === undefined) throw new ConfigurationRefused(configFile, [{ path: [], text: 'which of its nodes this process is, --node NAME says' }]);
  const node = new NodeProcess({ nodeName: name, role, source, prepare, sockets: inheritedSockets(process.env, process.pid), onLost: () => process.exit(1) });
  stopOnSignals(node);
  const started = node.start();
  lookOnSignal(node, started);
  await started;
  tellServiceManager(process.env, (error) => node.log.warn({ err: error }, 'systemd could not be told that the node is ready'));
}

/** SIGHUP looks at the configuration; one that comes while the node starts, which it would end, when that is done. */
function lookOnSignal(node: NodeProcess, started: Promise<void>): void {
  process.on('SIGHUP', () => {
    started.then(async () => node.lookNow()).catch((error: unknown) => node.log.error({ err: error }, 'could not look at the configuration'));
  });
}

/** SIGTERM and SIGINT drain; so does the end of the process that started us, if it gave us a channel. */
function stopOnSignals(node: NodeProcess): void {
  let stopping = false;
  const stop = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    node.log.info({ reason }, 'stopping');
    node.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        node.log.error({ err: error }, 'did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (process.send !== undefined) process.on('disconnect', () => stop('the parent process is gone'));
}

async function runOneWorker(options: RunNodeOptions): Promise<void> {
  // The terminal sends Ctrl-C to all processes, a service manager may send any of these; the supervisor decides when a worker leaves, and looks at the configuration.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
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
    const order = readOrder(context.configuration, options.role);
    const who = { nodeName: order.node, role: options.role };
    takeHeldFiles(order.held);
    const { config } = order;
    logService = openNodeLog(config);
    const log = logTo(logService, who.nodeName);
    endOnFault(log);
    process.env['TZ'] = config.defaultTimeZone;
    await useProcessParameters(config);
    measureCertificates(config);
    const { siblings } = context;
    siblings.onSilence((topic, silent) => log.warn({ topic, silent }, 'other workers of this node were asked and do not answer: they are busy'));
    const doors = { counts: new ConnectionCounts({ workers: workersOf(config), siblings }), slots: commandSlots(config), sockets: readPassedSockets(process.env) };
    const routes = nodeRoutes({ siblings, check: (text) => whyRefused(() => nodeConfig(who, { ...order.version, text, label: 'the text' })) });
    const services = await options.start({ ...context, config, log, logService, doors, environment: process.env, nodeRoutes: routes, source: order.version });
    const renew = async (configuration: string): Promise<void> => {
      takeHeldFiles(readOrder(configuration, options.role).held);
      await services.renew(configuration);
    };
    return { ...services, renew };
  });
  await logService?.close();
  process.exit(ended === 'drained' ? 0 : 1);
}

function whyRefused(check: () => NodeConfig): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationRefused) return error.message;
    throw error;
  }
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
