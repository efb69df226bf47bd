/**
 * Connections that the supervisor hands out by turns, between its hand and the worker's. Node keeps its end of one until the worker has said
 * that it took it. For a worker that ends before it says so (killed while it hung) Node would wait for ever: the client would see an open
 * connection that nobody serves, and the supervisor would be short of a descriptor. Here the client sees the end of it, as of all the others that the worker had.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';

/** What Node's own messages between the processes of a cluster look like, as far as it matters here. */
interface Message {
  readonly cmd?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

const clusterMessage = 'NODE_CLUSTER';

/** To be called right after the fork. At most one for each listener is on its way to a worker at any time. */
export function endUntakenConnections(worker: Worker): void {
  const { process } = worker;
  const untaken = new Set<unknown>();
  const send = process.send.bind(process) as (...given: unknown[]) => boolean;
  process.send = (message: Message, handle?: unknown, ...more: unknown[]): boolean => {
    if (message.cmd === clusterMessage && handle !== undefined && handle !== null) untaken.add(message.seq);
    return send(message, handle, ...more);
  };
  process.on('internalMessage', ({ ack }: Message) => untaken.delete(ack));
  // As if it had taken them Node closes them here. The end of the channel never comes while a handed connection is on its way.
  worker.once('exit', () => {
    for (const ack of untaken) process.emit('internalMessage' as 'message', { cmd: clusterMessage, ack, accepted: true } as object, undefined as never);
  });
}

/** Node takes the policy that is set when its settings are first made, and says nothing of one that comes too late. */
export function choosePolicy(connections: 'first come' | 'by turns'): void {
  const policy = connections === 'by turns' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  if (Object.keys(cluster.settings).length === 0) cluster.schedulingPolicy = policy;
  else if (cluster.schedulingPolicy !== policy) throw new Error('how connections come to workers was decided before, and otherwise');
}
