/**
 * The first process of a node: gets the configuration from its source, keeps the workers by way of the supervisor, puts new versions to
 * use, and begins again when it is told to restart, with the parameters that only a start takes up.
 */
import { maildropDesk } from '../shared/access/maildrop-desk.ts';
import type { Logger } from '../shared/log/log.ts';
import { supervise } from '../shared/service/supervisor.ts';
import type { Desk } from '../shared/service/question-desk.ts';
import type { Supervisor, SupervisorOptions } from '../shared/service/supervisor.ts';
import { removeStaleSocket } from '../shared/net/listen-place.ts';
import type { InheritedSocket } from '../shared/net/inherited-sockets.ts';
import { followAcme } from './acme/follow-acme.ts';
import type { AcmeWatch } from './acme/follow-acme.ts';
import { holdPlaceholders, managedPairs } from './acme/managed-pairs.ts';
import { sayEnds } from './certificate-ends.ts';
import type { NodeConfig } from './effective.ts';
import type { ConfigWatch } from './file-source.ts';
import { heldFiles } from './held-files.ts';
import { finishReplacement } from './joining/pair-files.ts';
import { keepRenewed } from './joining/renewal.ts';
import type { Renewal } from './joining/renewal.ts';
import { unixSocketFiles } from './listeners.ts';
import { workersOf } from './threads.ts';
import { watchNamedFiles } from './named-files.ts';
import type { NamedFilesWatch } from './named-files.ts';
import { restartWaitMs, topics } from './publishing/node-routes.ts';
import { NodeStateKeeper } from './publishing/node-state.ts';
import { frozenOf, restartNeeds, withFrozen } from './publishing/restart-needs.ts';
import type { Frozen } from './publishing/restart-needs.ts';
import type { SourceVersion } from './publishing/source-version.ts';
import type { Source } from './publishing/source.ts';
import type { Role } from './schema.ts';
import { SwitchedLog } from './switched-log.ts';
import { nodeConfig, orderText } from './worker-order.ts';
import { workerProcesses } from './worker-processes.ts';

/** What the first process of a node has in hand while it runs. */
export interface Prepared {
  /** What it answers workers; see siblings.ts. */
  readonly desk: Desk;
  /** Called at the end. */
  readonly release: () => void;
}

/**
 * Done once before any worker starts; a rejection stops the node with its words. `renew` starts a new generation of workers with the
 * configuration in use; it rejects, and the old one goes on, when that can't start.
 */
export type Prepare = (config: NodeConfig, renew: () => Promise<void>, log: Logger) => Promise<Prepared>;

export interface NodeProcessOptions {
  readonly nodeName: string;
  readonly role: Role;
  readonly source: Source;
  readonly prepare: Prepare;
  /** Opened by whoever started us (systemd). */
  readonly sockets: readonly InheritedSocket[];
  /** After a restart nothing could be started any more. */
  readonly onLost: () => void;
}

/** From one start to the next restart. */
interface Life {
  readonly supervisor: Supervisor;
  readonly release: () => void;
  /** What it started with and keeps. */
  readonly frozen: Frozen;
}

export class NodeProcess {
  readonly #options: NodeProcessOptions;
  readonly #state: NodeStateKeeper;
  readonly #switchedLog: SwitchedLog;
  readonly #log: Logger;
  #life: Life | undefined;
  #inUse: SourceVersion | undefined;
  readonly #configs = new WeakMap<SourceVersion, NodeConfig>();
  #watch: ConfigWatch | undefined;
  /** Certificates and the like that the configuration names. */
  #files: NamedFilesWatch | undefined;
  #renewal: Renewal | undefined;
  #ends: { close(): void } | undefined;
  #acme: AcmeWatch | undefined;
  /** Versions and restarts wait for one another. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopping = false;

  constructor(options: NodeProcessOptions) {
    this.#options = options;
    this.#switchedLog = new SwitchedLog(options.nodeName);
    this.#log = this.#switchedLog.log;
    this.#state = new NodeStateKeeper(options.nodeName, options.role, options.source);
  }

  get log(): Logger {
    return this.#log;
  }

  /** Resolves when all workers are ready. @throws ConfigurationRefused, Failure, and the words of a worker that could not start */
  async start(): Promise<void> {
    const first = await this.#options.source.first({
      log: this.#log,
      accept: (version) => void this.#config(version),
      onRefused: (refused) => this.#state.refuses(refused),
    });
    await this.#begin(first, undefined);
    this.#log.info({ version: this.#config(first).version, number: first.number }, 'ready');
    process.send?.({ ready: true });
    this.#switchedLog.keepFiles();
    this.#files = watchNamedFiles({
      log: this.#log,
      onShown: () => this.#renewShown(),
      onOthers: async () => this.#inTurn(async () => this.#reloadInUse()),
    });
    await this.#files.follow(this.#config(first));
    this.#ends = sayEnds(this.#log, () => this.#config(this.#inUse ?? first));
    this.#acme = followAcme({ log: this.#log, config: () => this.#config(this.#inUse ?? first), onFresh: async () => this.#files?.lookNow() });
    this.#renewal = keepRenewed({ log: this.#log, config: () => this.#config(this.#inUse ?? first), onRenewed: async () => this.#files?.lookNow() });
    this.#watch = this.#options.source.follow({
      log: this.#log,
      inUse: first,
      onVersion: async (version) => this.#inTurn(async () => this.#putToUse(version)),
      onRefused: (refused) => this.#state.refuses(refused),
      onUndone: () => this.#state.refusesNothing(),
      onDirectory: (trouble) => this.#state.hearsOfDirectory(trouble),
    });
  }

  async lookNow(): Promise<void> {
    await this.#watch?.lookNow();
    await this.#files?.lookNow();
    await this.#acme?.lookNow();
    await this.#renewal?.lookNow();
  }

  /** Drains all workers. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#watch?.close();
    this.#files?.close();
    this.#renewal?.close();
    this.#ends?.close();
    this.#acme?.close();
    await this.#life?.supervisor.stop();
    this.#life?.release();
    await this.#switchedLog.close();
  }

  /** Taken apart once for each version: that costs tens of milliseconds, and some ask every few seconds. */
  #config(version: SourceVersion): NodeConfig {
    const known = this.#configs.get(version);
    if (known !== undefined) return known;
    const config = nodeConfig(this.#options, version);
    this.#configs.set(version, config);
    return config;
  }

  /** @param frozen of the life before, where it is to be as it was */
  async #begin(version: SourceVersion, frozen: Frozen | undefined): Promise<void> {
    const config = this.#config(version);
    const kept = frozen ?? frozenOf(config);
    const effective = withFrozen(config, kept);
    await this.#switchedLog.use(effective);
    await finishPairs(effective);
    await holdPlaceholders(effective);
    const { desk, release } = await this.#options.prepare(effective, async () => this.#inTurn(async () => this.#reloadInUse()), this.#log);
    await clearSocketFiles(effective);
    const supervisor = supervise(this.#supervisorOptions(version, kept), { ...this.#desk(), ...desk });
    try {
      this.#life = { supervisor, release, frozen: kept };
      await supervisor.started;
    } catch (error) {
      await supervisor.stop();
      release();
      throw error;
    }
    this.#inUse = version;
    this.#state.runs({ number: version.number, version: config.version }, restartNeeds(kept, config));
  }

  async #putToUse(version: SourceVersion): Promise<void> {
    const config = this.#config(version);
    if (this.#life === undefined || this.#stopping) return;
    const { supervisor, frozen } = this.#life;
    this.#state.takes({ number: version.number, version: config.version });
    try {
      await clearSocketFiles(config);
      await supervisor.reload(this.#supervisorOptions(version, frozen));
    } catch (error) {
      this.#state.keeps();
      throw error;
    }
    await this.#switchedLog.use(config);
    await this.#files?.follow(config);
    this.#inUse = version;
    const needs = restartNeeds(frozen, config);
    this.#state.runs({ number: version.number, version: config.version }, needs);
    this.#log.info({ version: config.version, number: version.number, ...(needs.length === 0 ? {} : { restartFor: needs }) }, needs.length === 0
      ? 'runs the new configuration'
      : 'runs the new configuration, but for what waits for a restart');
  }

  /** Certificates for clients have changed, and nothing else. */
  #renewShown(): void {
    if (this.#life === undefined || this.#inUse === undefined) return;
    this.#life.supervisor.renew(this.#supervisorOptions(this.#inUse, this.#life.frozen).configuration);
  }

  /** For changed files that the configuration names. */
  async #reloadInUse(): Promise<void> {
    if (this.#life === undefined || this.#inUse === undefined || this.#stopping) return;
    await this.#life.supervisor.reload(this.#supervisorOptions(this.#inUse, this.#life.frozen));
  }

  #supervisorOptions(version: SourceVersion, frozen: Frozen): SupervisorOptions {
    const config = this.#config(version);
    const { drainSeconds, retireSeconds, hangSeconds } = config;
    return { log: this.#log, workers: workersOf(config), ...workerProcesses[this.#options.role], drainMs: drainSeconds * 1000, retireMs: retireSeconds * 1000, hangMs: hangSeconds * 1000, sockets: this.#options.sockets, configuration: orderText({ node: this.#options.nodeName, version, frozen, config: withFrozen(config, frozen), held: heldFiles() }) };
  }

  #desk(): Desk {
    return {
      ...maildropDesk(),
      [topics.state]: () => this.#state.current,
      [topics.look]: () => {
        this.lookNow().catch((error: unknown) => this.#log.error({ err: error }, 'could not look at the configuration'));
        return {};
      },
      [topics.restart]: (question) => {
        if (this.#state.current.phase === 'restarting') return { restarting: 'already' };
        this.#state.restarts();
        const waitMs = restartWaitMs(question);
        this.#inTurn(async () => this.#restart(waitMs)).catch((error: unknown) => {
          this.#log.fatal({ err: error }, 'the node could not start again, and ends');
          this.#options.onLost();
        });
        return { restarting: 'begun' };
      },
    };
  }

  /** Nothing new is accepted while the sessions go on for at most `waitMs`; then all begins again with the version in use. */
  async #restart(waitMs: number): Promise<void> {
    const [life, version] = [this.#life, this.#inUse];
    if (life === undefined || version === undefined || this.#stopping) return;
    this.#log.info({ waitMs }, 'restarts: accepts nothing new, lets its sessions end');
    await life.supervisor.windDown(waitMs);
    life.release();
    if (this.#stopping) return;
    try {
      await this.#begin(version, undefined);
    } catch (error) {
      this.#log.error({ err: error }, 'could not start with what waited for the restart; starts as it was before');
      await this.#begin(version, life.frozen);
    }
    this.#state.started();
    this.#log.info({ version: this.#config(version).version, number: version.number }, 'restarted');
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined); // whoever asked for it hears of it
    return done;
  }
}

/** What a node that was killed left behind would be in the way. */
async function clearSocketFiles(config: NodeConfig): Promise<void> {
  await Promise.all(unixSocketFiles(config).map(removeStaleSocket));
}

/** What a crash left half done while certificates were renewed. */
async function finishPairs(config: NodeConfig): Promise<void> {
  const { nodeCertificate, nodeKey } = config.tls;
  const own = nodeCertificate === undefined || nodeKey === undefined ? [] : [{ certificate: nodeCertificate, key: nodeKey }];
  for (const files of [...own, ...managedPairs(config)]) await finishReplacement(files);
}
