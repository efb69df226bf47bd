/**
 * Connections that the supervisor hands out by turns, between its hand and the worker's: that they are turns (turns.ts), and what becomes of those that a worker never takes. Node keeps its end of one until the worker has said
 * that it took it. For a worker that ends before it says so (killed while it hung) Node would wait for ever: the client would see an open
 * connection that nobody serves, and the supervisor would be short of a descriptor. Here the client sees the end of it, as of all the others that the worker had.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { Turns } from './turns.ts';

/** What Node's own messages between the processes of a cluster look like, as far as it matters here. */
interface Message {
  readonly cmd?: unknown;
  readonly seq?: unknown;
  /** Of the listener. */
  readonly key?: unknown;
  readonly ack?: unknown;
  /** Whether it took the connection; one that closes its listener just then does not. */
  readonly accepted?: unknown;
}

const clusterMessage = 'NODE_CLUSTER';

/** Of all workers of this process. */
const turns = new Turns();

/** To be called right after the fork. At most one for each listener is on its way to a worker at any time. */
export function watchHandedConnections(worker: Worker): void {
  const { process } = worker;
  const untaken = new Set<unknown>();
  const send = process.send.bind(process) as (...given: unknown[]) => boolean;
  process.send = (message: Message, handle?: unknown, ...more: unknown[]): boolean => {
    if (message.cmd === clusterMessage && typeof message.seq === 'number' && handle !== undefined && handle !== null) {
      untaken.add(message.seq);
      turns.handed(message.seq, message.key);
    }
    return send(message, handle, ...more);
  };
  // Node hands this worker the next connection when it hears that the last one was taken.
  const emit = process.emit.bind(process) as (...given: unknown[]) => boolean;
  const hear = (event: string, ...given: unknown[]): boolean => {
    const { ack, accepted } = event === 'internalMessage' ? given[0] as Message : {};
    if (typeof ack !== 'number' || !untaken.delete(ack)) return emit(event, ...given);
    if (accepted === true) turns.taken(ack, () => emit(event, ...given));
    else {
      turns.refused(ack);
      emit(event, ...given);
    }
    return true;
  };
  process.emit = hear as typeof process.emit;
  // As if it had taken them Node closes them here. The end of the channel never comes while a handed connection is on its way.
  worker.once('exit', () => {
    for (const ack of untaken) hear('internalMessage', { cmd: clusterMessage, ack, accepted: true }, undefined);
  });
}

/** Node takes the policy that is set when its settings are first made, and says nothing of one that comes too late. */
export function choosePolicy(connections: 'first come' | 'by turns'): void {
  const policy = connections === 'by turns' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  if (Object.keys(cluster.settings).length === 0) cluster.schedulingPolicy = policy;
  else if (cluster.schedulingPolicy !== policy) throw new Error('how connections come to workers was decided before, and otherwise');
}
