/** The manual's threads on worker processes and commands: how many workers a node has, and how many commands of a service work at the same time. */
import { CommandSlots } from '../shared/workers/command-slots.ts';
import type { NodeConfig } from './effective.ts';

const workingServices = ['smtpReceiving', 'imap', 'pop3', 'webmail'] as const;
export type WorkingService = (typeof workingServices)[number];

/** As many as the service that wants most, and `workers` at least. Who looks into messages (`filteringThreads`) wants a processor for each. */
export function workersOf({ workers, services, role }: Pick<NodeConfig, 'workers' | 'services' | 'role'>): number {
  if (role === 'frontend') return workers;
  const { enable, filteringThreads } = services.processing;
  return Math.max(workers, enable ? filteringThreads : 1, ...workingServices.map((name) => (services[name].enable ? services[name].minConnThreads : 1)));
}

/** Of one worker: its part of what all may have, rounded up. */
export function commandSlots(config: Pick<NodeConfig, 'workers' | 'services' | 'role'>): Readonly<Record<WorkingService, CommandSlots>> {
  const of = (name: WorkingService): CommandSlots => new CommandSlots(name, Math.ceil(config.services[name].maxConnThreads / workersOf(config)));
  return { smtpReceiving: of('smtpReceiving'), imap: of('imap'), pop3: of('pop3'), webmail: of('webmail') };
}
