/** `waybill node restart`: the node drains, and starts again with what waited for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import { configOfNode } from '../load.ts';
import { longestRestartWaitSeconds } from '../publishing/limits.ts';
import { nodeStateSchema } from '../publishing/node-state-schema.ts';
import type { NodeState } from '../publishing/node-state-schema.ts';
import { publishingOperations } from '../admin/contract/publishing.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { askThese } from './ask-nodes.ts';
import { loadConfig } from './load-config.ts';
import { UsageError } from './usage-error.ts';

export interface RestartOptions extends ApiOptions {
  /** How long sessions may go on. */
  readonly waitSeconds: string;
}

/** For its processes to end and to start, beyond the times that are its own. */
const spareMs = 60_000;
const askAgainMs = 300;
/** The most that drainSeconds can be: from elsewhere the configuration is not seen. */
const longestDrainMs = 3_600_000;

/** Resolves when the node runs again. @throws Failure('backend-unavailable', 'timed-out'), UsageError, ConfigurationRefused */
export async function nodeRestart(node: string, options: RestartOptions, say: (text: string) => void): Promise<void> {
  const waitSeconds = Number(options.waitSeconds);
  if (!Number.isInteger(waitSeconds) || waitSeconds < 0 || waitSeconds > longestRestartWaitSeconds) throw new UsageError(`--wait-seconds is a number from 0 to ${String(longestRestartWaitSeconds)}`);
  const { state, restart, drainMs } = options.server === undefined ? await nodeRoad(node, options.config) : await apiRoad(node, options);
  const before = await state();
  await restart(waitSeconds);
  say(`${node} accepts nothing new; its sessions have ${String(waitSeconds)} s to end, and are then told to`);
  const after = await restarted(state, before, waitSeconds * 1000 + drainMs + spareMs);
  say(`${node} runs again since ${after.startedAt}, version ${after.running.number === undefined ? after.running.version : String(after.running.number)}`);
  if (after.restartFor.length > 0) throw new Failure('bad-input', `${node} could not start with ${after.restartFor.join(', ')}, and runs with what it had; its log says why`);
}

interface RestartRoad {
  state(): Promise<NodeState>;
  restart(waitSeconds: number): Promise<void>;
  /** How long its sessions may take to end when they are told to. */
  readonly drainMs: number;
}

async function nodeRoad(node: string, file: string): Promise<RestartRoad> {
  const config = await loadConfig(file);
  const target = configOfNode(config, node, file);
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const [said] = await askThese(config, [target], { path, body });
    if (said === undefined || 'complaint' in said) throw new Failure('backend-unavailable', `${node} ${said?.complaint ?? 'does not answer'}`);
    return said.answer;
  };
  return {
    state: async () => nodeStateSchema.parse(await ask('/configuration/state')),
    restart: async (waitSeconds) => void await ask('/node/restart', { waitSeconds }),
    drainMs: target.drainSeconds * 1000,
  };
}

async function apiRoad(node: string, options: RestartOptions): Promise<RestartRoad> {
  const api = await openApi(options);
  const path = `/nodes/${encodeURIComponent(node)}`;
  return {
    state: async () => publishingOperations.showNodeState.answer.parse(await api.ask(`${path}/state`)),
    restart: async (waitSeconds) => void await api.ask(`${path}/restart`, { method: 'POST', body: { waitSeconds } }),
    drainMs: longestDrainMs,
  };
}

async function restarted(ask: () => Promise<NodeState>, before: NodeState, patienceMs: number): Promise<NodeState> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(askAgainMs)) {
    const state = await ask().catch((error: unknown) => {
      if (error instanceof Failure || error instanceof UsageError) return undefined; // it is on its way
      throw error;
    });
    if (state !== undefined && state.phase === 'running' && state.startedAt !== before.startedAt) return state;
  }
  throw new Failure('timed-out', `${before.node} does not run again after ${String(Math.round(patienceMs / 1000))} s; its log says why`);
}
