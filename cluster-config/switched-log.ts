/** The logger of a node's first process: it stays the same while the Log service behind it changes with the configuration. */
import { isDeepStrictEqual } from 'node:util';
import { pinoLevel } from '../shared/log/levels.ts';
import { logTo } from '../shared/log/log.ts';
import type { Logger } from '../shared/log/log.ts';
import { LogService } from '../shared/log/log-service.ts';
import { keepLogFiles } from '../shared/log/rotation.ts';
import type { KeptFile } from '../shared/log/rotation.ts';
import type { NodeConfig } from './effective.ts';
import { keptTraceFiles, logFiles, openNodeLog } from './node-log.ts';

export class SwitchedLog {
  readonly log: Logger;
  #service: LogService;
  #options: NodeConfig['log'] | undefined;
  #files: readonly KeptFile[] = [];

  /** Until there is a configuration, lines go to standard output. */
  constructor(node: string) {
    this.#service = new LogService({ node, level: 'informational', type: 'internal', services: {}, rules: [], file: undefined, outputs: {} });
    const level = (): LogService['level'] => this.#service.level;
    this.log = logTo({ get level() { return level(); }, write: (line, severity) => this.#service.write(line, severity) }, node);
  }

  /** Puts the log's parameters to use; an equal log is not opened again. @throws Failure('bad-input') and then the one before stays */
  async use(config: NodeConfig): Promise<void> {
    if (isDeepStrictEqual(config.log, this.#options)) return;
    const before = this.#service;
    this.#service = openNodeLog(config);
    this.#options = config.log;
    this.#files = [...logFiles(config), ...keptTraceFiles(config)];
    this.log.level = pinoLevel(this.#service.level);
    await before.close();
  }

  /** Begins to put large and old files away. */
  keepFiles(): void {
    keepLogFiles(() => this.#files, (error, file) => this.log.warn({ err: error, file }, 'log file could not be put away'));
  }

  async close(): Promise<void> {
    await this.#service.close();
  }
}
