/** Single services of a node over the admin API: told to all workers, then looked at until they are as wanted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import type { ServiceOrder, ServiceWishes } from '../../shared/service/service-wishes.ts';
import type { UnitState } from '../../shared/service/service-rack.ts';
import { askAll } from '../../shared/service/siblings.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import { serviceOperations, unitStateSchema } from './contract/services.ts';
import type { serviceSchema } from './contract/services.ts';

export interface ServiceGround {
  readonly siblings: Siblings;
  readonly wishes: ServiceWishes;
  /** Of this worker. */
  readonly states: () => readonly UnitState[];
  /** Longest time that a service takes to stop. */
  readonly drainMs: number;
}

type Listed = z.output<typeof serviceSchema>;

const topic = 'service states';
const toldSchema = z.object({ pid: z.number(), services: z.array(unitStateSchema) });
const lookAgainMs = 50;
const extraMs = 5000;
/** The gravest first. */
const gravity = ['failed', 'stopping', 'starting', 'stopped', 'running'] as const;

export function serviceHandlers({ siblings, wishes, states, drainMs }: ServiceGround): readonly Handled[] {
  siblings.answer(topic, () => ({ pid: process.pid, services: states() }));
  const list = async (): Promise<Listed[]> => joined(await askAll(siblings, topic, {}));
  const find = async (name: string): Promise<Listed> => {
    const found = (await list()).find((one) => one.name === name);
    if (found === undefined) throw new ApiRefusal(404, 'no-such-service', { text: `this node has no service ${name}, or its configuration does not enable it`, advice: 'services.NAME.enable switches it on.' });
    return found;
  };
  const act = async ({ name, wish }: ServiceOrder): Promise<Listed> => {
    const before = new Map((await find(name)).workers.map(({ pid, since }) => [pid, since]));
    wishes.wish({ name, wish });
    await sleep(lookAgainMs); // the wish goes by way of the supervisor
    for (const untilMs = performance.now() + drainMs + extraMs; ; await sleep(lookAgainMs)) {
      const now = await find(name);
      const isDone = now.workers.every(({ pid, state, since }) => {
        if (wish === 'stop') return state === 'stopped';
        return (state === 'running' || state === 'failed') && (wish === 'start' || before.get(pid) !== since);
      });
      if (isDone || performance.now() > untilMs) return now;
    }
  };
  return [
    handled(serviceOperations.listServices, async () => ({ services: await list() })),
    handled(serviceOperations.startService, async ({ params }) => act({ name: params.service, wish: 'start' })),
    handled(serviceOperations.stopService, async ({ params }) => act({ name: params.service, wish: 'stop' })),
    handled(serviceOperations.restartService, async ({ params }) => act({ name: params.service, wish: 'restart' })),
  ];
}

/** The services of this node, by what those of its workers say that have time. */
export async function servicesOfNode(siblings: Siblings): Promise<Listed[]> {
  return joined((await siblings.ask(topic, {})).answers);
}

/** What the workers say, by service. */
function joined(answers: readonly unknown[]): Listed[] {
  const workers = answers.flatMap((answer) => {
    const told = toldSchema.safeParse(answer);
    return told.success ? [told.data] : [];
  });
  const names = [...new Set(workers.flatMap(({ services }) => services.map(({ name }) => name)))];
  return names.map((name) => {
    const here = workers.flatMap(({ pid, services }) => services.filter((one) => one.name === name).map(({ state, reason, sinceMs }) => ({ pid, state, since: new Date(sinceMs).toISOString(), ...(reason === undefined ? {} : { reason }) })));
    const gravest = gravity.map((state) => here.find((one) => one.state === state)).find((one) => one !== undefined);
    return { name, state: gravest?.state ?? 'stopped', ...(gravest?.reason === undefined ? {} : { reason: gravest.reason }), workers: here };
  });
}
