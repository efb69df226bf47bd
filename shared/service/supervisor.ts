/**
 * The supervisor of a node: forks the workers, restarts dead ones with back-off, appoints one for the work that exists
 * once per node, carries hints between them, and replaces them all by a new generation when the configuration changed.
 * It serves no client itself, so a crash of a worker costs that worker's sessions only.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import type { Logger } from '../log/log.ts';
import { isMessage } from './messages.ts';
import type { Order } from './messages.ts';

export interface SupervisorOptions {
  readonly log: Logger;
  /** How many worker processes. */
  readonly workers: number;
  /** How long a worker may take to finish its sessions' commands when it has to leave. */
  readonly drainMs: number;
  /** The text of the configuration that the workers are to run. */
  readonly configuration: string;
}

export interface Supervisor {
  /** Resolves when the first generation is ready; rejects with the worker's words when one could not start. */
  readonly started: Promise<void>;
  /** Starts a new generation (it reads the configuration anew), then lets the old one drain. Rejects, and keeps the old, when the new can't start. */
  reload(options: SupervisorOptions): Promise<void>;
  /** Drains all and resolves when the last worker is gone. */
  stop(): Promise<void>;
  /** Workers that serve now: process id and number. */
  living(): readonly { readonly pid: number; readonly slot: number }[];
}

type Stage = 'starting' | 'ready' | 'retiring';

interface Member {
  readonly worker: Worker;
  readonly slot: number;
  readonly generation: number;
  stage: Stage;
  readonly started: Promise<void>;
}

const firstBackOffMs = 500;
const longestBackOffMs = 30_000;
/** A worker that lived so long did not die of its start. */
const healthyAfterMs = 60_000;

export function supervise(initial: SupervisorOptions): Supervisor {
  let options = initial;
  let generation = 0;
  let stopping = false;
  let backOffMs = firstBackOffMs;
  let appointed: Member | undefined;
  const members = new Set<Member>();

  const send = (member: Member, order: Order): void => {
    if (member.worker.isConnected()) member.worker.send(order);
  };

  const appoint = (): void => {
    if (appointed !== undefined && members.has(appointed) && appointed.stage === 'ready') return;
    appointed = [...members].find((member) => member.stage === 'ready' && member.generation === generation);
    if (appointed !== undefined) send(appointed, { kind: 'appoint' });
  };

  const fork = (): Member => {
    const slot = lowestFree(members);
    const { configuration } = options;
    const worker = cluster.fork();
    let settle: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => undefined, reject: () => undefined };
    const started = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    started.catch(() => undefined);
    const member: Member = { worker, slot, generation, stage: 'starting', started };
    const bornMs = Date.now();
    members.add(member);
    worker.on('message', (message: unknown) => {
      if (!isMessage(message)) return;
      if (message.kind === 'awake') send(member, { kind: 'start', slot, configuration });
      else if (message.kind === 'failed') {
        options.log.error({ worker: worker.process.pid, reason: message.text }, 'worker could not start');
        settle.reject(new Error(message.text));
      } else if (message.kind === 'hint') {
        for (const other of members) if (other !== member && other.stage !== 'starting') send(other, message);
      } else if (message.kind === 'ready') {
        member.stage = 'ready';
        settle.resolve();
        appoint();
      }
    });
    worker.on('exit', (code, signal) => {
      members.delete(member);
      settle.reject(new Error(`worker ended with ${signal ?? `code ${String(code)}`} before it was ready`));
      if (member.stage !== 'retiring' && !stopping && member.generation === generation) {
        if (Date.now() - bornMs > healthyAfterMs) backOffMs = firstBackOffMs;
        options.log.error({ worker: worker.process.pid, code, signal, restartInMs: backOffMs }, 'worker died');
        setTimeout(() => {
          if (!stopping && member.generation === generation) fork();
        }, backOffMs);
        backOffMs = Math.min(backOffMs * 2, longestBackOffMs);
      }
      appoint();
    });
    return member;
  };

  const startGeneration = async (): Promise<void> => {
    await Promise.all(Array.from({ length: options.workers }, async () => fork().started));
  };

  const retire = async (leaving: readonly Member[]): Promise<void> => {
    await Promise.all(
      leaving.map(async (member) => {
        member.stage = 'retiring';
        send(member, { kind: 'retire', graceMs: options.drainMs });
        await gone(member.worker, options.drainMs + 5000);
      }),
    );
  };

  const reload = async (next: SupervisorOptions): Promise<void> => {
    const before = { options, generation };
    const old = [...members];
    options = next;
    generation += 1;
    try {
      await startGeneration();
    } catch (error) {
      const failed = [...members].filter((member) => member.generation === generation);
      ({ options, generation } = before);
      await retire(failed);
      throw error;
    }
    appoint();
    retire(old).catch((error: unknown) => options.log.error({ err: error }, 'retiring workers failed'));
  };

  return {
    started: startGeneration(),
    reload,
    stop: async () => {
      stopping = true;
      await retire([...members]);
    },
    living: () => [...members].filter((member) => member.stage === 'ready').map((member) => ({ pid: member.worker.process.pid ?? 0, slot: member.slot })),
  };
}

function lowestFree(members: ReadonlySet<Member>): number {
  const used = new Set([...members].map((member) => member.slot));
  let slot = 0;
  while (used.has(slot)) slot += 1;
  return slot;
}

/** Waits for a worker's end; after `patienceMs` it is killed. */
async function gone(worker: Worker, patienceMs: number): Promise<void> {
  if (worker.isDead()) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), patienceMs);
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
