/** Runs the demo cluster: furnishes its data folder, starts directory, back-ends and front-ends, and stops them in order. */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { programFile } from '../../shared/base/program-file.ts';
import { lockFolder } from '../../shared/base/folder-lock.ts';
import type { FolderLock } from '../../shared/base/folder-lock.ts';
import { createLog } from '../../shared/log/log.ts';
import { watchConfig } from '../file-source.ts';
import type { ConfigWatch } from '../file-source.ts';
import { parseConfig } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { demoConfigText } from './config-text.ts';
import { checkDataFolder, furnishDataFolder } from './data-folder.ts';
import { DemoRefused } from './demo-refused.ts';
import { demoAdminDn, demoBaseDn, demoLayout } from './layout.ts';
import type { DemoLayout } from './layout.ts';
import { checkLoopback, checkPorts } from './loopback-ports.ts';
import { Program } from './node-process.ts';
import { summary } from './summary.ts';

export interface DemoOptions {
  readonly dataFolder: string;
  readonly portBase: number;
  /** Writes one line (or the closing table) for the user. */
  readonly say: (text: string) => void;
}

/** A demo cluster that starts or runs. */
export interface Demo {
  /** Resolves when everything is ready. Rejects with DemoRefused or ConfigurationRefused; nothing is left running then. */
  readonly started: Promise<void>;
  /** Stops front-ends, back-ends and directory in this order, each within its grace; at any time, also while it starts. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
}

/** Time beyond a node's own `drainSeconds` until it is ended by force. */
const extraGraceMs = 10_000;
const directoryGraceMs = 5000;

/** Starts the demo and tells how to use it. */
export function startDemo(options: DemoOptions): Demo {
  const layout = demoLayout(resolve(options.dataFolder), options.portBase);
  const running = new RunningPrograms();
  let lock: FolderLock | undefined;
  let watch: ConfigWatch | undefined;
  const start = async (): Promise<void> => {
    lock = await lockDataFolder(layout.folder);
    try {
      const { config, text } = await prepare(layout, options.say);
      await startAll({ layout, config, running, say: options.say });
      options.say(summary(config, layout));
      watch = watchForUser(layout.configFile, text, options.say);
    } catch (error) {
      if (running.stopping) await running.stop();
      else running.kill();
      lock.release();
      throw error;
    }
  };
  return {
    started: start(),
    stop: async () => {
      watch?.close();
      await running.stop();
      lock?.release();
    },
    kill: () => { running.kill(); },
  };
}

async function lockDataFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return lockFolder(folder, 'demo.lock');
  } catch (error) {
    if (error instanceof Failure && error.kind === 'in-use') throw new DemoRefused(`another demo runs on ${folder}; stop it, or give another folder and ports: --data DIR --port-base N`);
    throw error;
  }
}

/** Checks everything that can be checked before a process starts, then makes what is missing. */
async function prepare(layout: DemoLayout, say: (text: string) => void): Promise<{ readonly config: ClusterConfig; readonly text: string }> {
  await checkDataFolder(layout);
  const text = existsSync(layout.configFile) ? await readFile(layout.configFile, 'utf8') : demoConfigText(layout);
  const config = parseConfig(text, layout.configFile);
  checkLoopback(config);
  await checkPorts(config, layout);
  await furnishDataFolder(layout, say);
  return { config, text };
}

/** The nodes watch the configuration themselves and log what they make of it; its user hears of it here. */
function watchForUser(file: string, initialText: string, say: (text: string) => void): ConfigWatch {
  return watchConfig(file, {
    initialText,
    log: createLog({ node: 'demo', level: 'silent' }),
    onVersion: async () => Promise.resolve(say(`${file} changed and is good: the nodes take it up now`)),
    onRefused: (reasons) => { say(`${file} changed and is refused; the nodes go on as before:\n${reasons}`); },
  });
}

interface Start {
  readonly layout: DemoLayout;
  readonly config: ClusterConfig;
  readonly running: RunningPrograms;
  readonly say: (text: string) => void;
}

/** All at once: the nodes ask the directory only when the first client comes, and the table is printed when all are ready. */
async function startAll({ layout, config, running, say }: Start): Promise<void> {
  const start = async (group: Group, options: { readonly name: string; readonly commandArguments: readonly string[]; readonly graceMs: number }): Promise<void> => {
    const { name, commandArguments, graceMs } = options;
    const started = new Program({ name, nodeArguments: ['--disable-warning=DEP0060', programFile, ...commandArguments], logFile: layout.files.log(name), report: say });
    running.add(group, started, graceMs);
    await started.start();
    say(`${name}: ready`);
  };
  const nodes = Object.values(config.nodes).map(async ({ nodeName: name, role, drainSeconds }) => {
    await start(role, { name, commandArguments: [role, '--config', layout.configFile, '--node', name], graceMs: drainSeconds * 1000 + extraGraceMs });
  });
  say(`starting the directory and ${nodes.length} nodes ...`);
  await Promise.all([start('directory', { name: 'directory', commandArguments: directoryArguments(layout), graceMs: directoryGraceMs }), ...nodes]);
}

function directoryArguments(layout: DemoLayout): readonly string[] {
  return [
    'directory', '--file', layout.directory.file, '--base', demoBaseDn,
    '--ldap', `127.0.0.1:${layout.directory.ldap}`, '--ldaps', `127.0.0.1:${layout.directory.ldaps}`,
    '--certificate', layout.files.server.certificate, '--key', layout.files.server.key,
    '--admin-dn', demoAdminDn, '--admin-password-file', layout.files.adminPassword,
  ];
}

type Group = 'frontend' | 'backend' | 'directory';

/** What was started, by the order in which it is stopped: front-ends hand no more in, back-ends finish, the directory goes last. */
class RunningPrograms {
  readonly #programs: { readonly group: Group; readonly started: Program; readonly graceMs: number }[] = [];
  #stopping = false;

  get stopping(): boolean {
    return this.#stopping;
  }

  /** @throws DemoRefused when all is being stopped: nothing more may start. */
  add(group: Group, started: Program, graceMs: number): void {
    if (this.#stopping) throw new DemoRefused('stopped while it started');
    this.#programs.push({ group, started, graceMs });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const group of ['frontend', 'backend', 'directory'] as const) {
      const members = this.#programs.filter((one) => one.group === group);
      await Promise.all(members.map(async ({ started, graceMs }) => { await started.stop(graceMs); }));
    }
  }

  kill(): void {
    this.#stopping = true;
    for (const { started } of this.#programs) started.kill();
  }
}
