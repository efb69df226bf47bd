/** `waybill config publish|rollback`: checks a text here and at every living node, publishes it, and waits until the nodes have said what they make of it. */
import { readFile } from 'node:fs/promises';
import * as os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import type { ClusterConfig } from '../load.ts';
import { ConfigurationRefused } from '../problem.ts';
import { headOf, parseForPublishing, parseIfReadable } from '../publishing/config-home.ts';
import type { ConfigHome } from '../publishing/config-home.ts';
import { publish } from '../publishing/publisher.ts';
import type { Published } from '../publishing/published.ts';
import { refusalsOf } from '../publishing/standings.ts';
import type { Standing } from '../publishing/standings.ts';
import { askThese } from './ask-nodes.ts';
import { openHome, readNumber, restartLines, versionOf } from './config-home.ts';
import { standings, standingsTable } from './config-status.ts';
import { tellAudit } from './tell-audit.ts';
import { UsageError } from './usage-error.ts';

export interface PublishOptions {
  readonly config: string;
  readonly message?: string;
  readonly by?: string;
  /** How long nodes may take to put it to use. */
  readonly waitSeconds: string;
}

type Say = (text: string) => void;

const longestWaitSeconds = 600;
const askAgainMs = 300;

/** Answers the exit code: 1 when a living node refuses it, or has said nothing within the time. @throws ConfigurationRefused, Failure, UsageError */
export async function publishFile(file: string, options: PublishOptions, say: Say): Promise<number> {
  const home = await openHome(options.config);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigurationRefused(file, [{ path: [], text: `can't be read: ${error instanceof Error ? error.message : String(error)}` }]);
  });
  return publishText(home, { text, label: file, after: undefined, message: options.message ?? '' }, { options, say });
}

/** The old content as a new version. @throws as `publishFile` */
export async function rollback(version: string, options: PublishOptions, say: Say): Promise<number> {
  const home = await openHome(options.config);
  const old = await versionOf(home, readNumber(version));
  const message = options.message ?? `back to version ${String(old.number)}`;
  return publishText(home, { text: old.text, label: `version ${String(old.number)}`, after: undefined, message }, { options, say });
}

export interface NewText {
  readonly text: string;
  readonly label: string;
  /** The version that it was made from; undefined: whatever is present now. */
  readonly after: number | undefined;
  readonly message: string;
}

/** @throws as `publishFile` */
export async function publishText(home: ConfigHome, wanted: NewText, { options, say }: { readonly options: PublishOptions; readonly say: Say }): Promise<number> {
  const waitMs = readWait(options.waitSeconds) * 1000;
  const config = parseForPublishing(home, wanted.text, wanted.label);
  const head = await headOf(home);
  if (head?.text === wanted.text) throw new UsageError(`version ${String(head.number)}, which is published, is the same text: nothing to do`);
  const present = parseIfReadable(home, head);
  const asked = present ?? config;
  const silent = await askReaders(asked, wanted.text, say);
  const by = options.by ?? `${os.userInfo().username}@${os.hostname()}`;
  const published = await publish(home.bootstrap, { text: wanted.text, by, message: wanted.message, after: wanted.after ?? head?.number ?? 0 }, process.env);
  say(`version ${String(published.number)} is published`);
  await tellAudit(asked, { what: 'publishConfiguration', facts: { version: published.number, message: wanted.message.slice(0, 1000) } });
  for (const line of restartLines(present, config)) say(line);
  return follow({ config, asked, silent }, published, { waitMs, say });
}

function readWait(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= longestWaitSeconds) return seconds;
  throw new UsageError(`--wait-seconds is a number from 0 to ${String(longestWaitSeconds)}`);
}

/** Every living node reads the text by its own program, which may be older than this one. Answers who was silent. @throws Failure('bad-input') that names those that can't */
async function askReaders(config: ClusterConfig, text: string, say: Say): Promise<ReadonlySet<string>> {
  const said = await askThese(config, Object.values(config.nodes), { path: '/configuration/check', body: { text } });
  const silent = said.filter((one) => 'complaint' in one);
  for (const { node, complaint } of silent) say(`${node} ${complaint}; it is not asked whether it can read this`);
  const refusals = refusalsOf(said).map(({ node, why }) => `${node} can't read it: ${why}`);
  if (refusals.length > 0) throw new Failure('bad-input', `nothing was published.\n${refusals.join('\n')}`);
  return new Set(silent.map(({ node }) => node));
}

interface Followed {
  readonly config: ClusterConfig;
  /** The nodes of before. */
  readonly asked: ClusterConfig;
  /** Those of them that did not answer even before: they are not waited for. */
  readonly silent: ReadonlySet<string>;
}

/** Nodes of before are told to look, where they were; nodes of the new version are asked what they run. */
async function follow({ config, asked, silent }: Followed, { number }: Published, { waitMs, say }: { readonly waitMs: number; readonly say: Say }): Promise<number> {
  const target = { number, version: config.version };
  const deadline = Date.now() + waitMs;
  await askThese(asked, Object.values(asked.nodes), { path: '/configuration/look', body: {} });
  const isAwayAsBefore = ({ kind, node }: Standing): boolean => kind === 'away' && (silent.has(node) || !Object.hasOwn(asked.nodes, node));
  const isUndecided = (one: Standing): boolean => one.kind !== 'runs' && one.kind !== 'refuses' && !isAwayAsBefore(one);
  let all = await standings(config, target);
  while (all.some(isUndecided) && Date.now() < deadline) {
    await sleep(askAgainMs);
    all = await standings(config, target);
  }
  say(standingsTable(all));
  return all.every((one) => one.kind === 'runs' || isAwayAsBefore(one)) ? 0 : 1;
}
