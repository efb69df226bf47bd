/** A front-end's part of a protocol trace: a back-end says whose sessions to tell of, and gets the lines. Nothing is written here. */
import { traceLinesPath, traceOrderPath, traceOrderSchema } from '../cluster-config/trace-routes.ts';
import type { NodeContext } from '../cluster-config/run-node.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import { callNode } from '../shared/admin/admin-call.ts';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import { Failure } from '../shared/base/failure.ts';
import { HeldLines } from '../shared/log/held-lines.ts';
import { openProtocolTrace, traceProtocol } from '../shared/log/protocol-trace.ts';

const topic = 'protocol trace';
const silenceMs = 10_000;

export function traceRoute({ config, notices }: Pick<NodeContext, 'config' | 'notices'>, tls: Pick<NodeTls, 'toNode'>): AdminRoute {
  const held = new Map<string, HeldLines<string>>();
  const linesFor = (keeper: string): HeldLines<string> => {
    const known = held.get(keeper);
    if (known !== undefined) return known;
    const made = new HeldLines<string>('remote', async (lines) => {
      const entry = Object.hasOwn(config.nodes, keeper) ? config.nodes[keeper] : undefined;
      if (entry?.endpoints.admin === undefined) throw new Failure('backend-unavailable', `${keeper}, which keeps the trace, has no admin listener`);
      await callNode({ host: entry.host, port: entry.endpoints.admin, tls: tls.toNode(keeper) }, { path: traceLinesPath, body: { lines }, silenceMs });
    });
    held.set(keeper, made);
    return made;
  };
  openProtocolTrace({ node: config.nodeName, primaryDomain: config.primaryDomain, write: (line, keeper) => linesFor(keeper).add(line.trimEnd()) });
  const obey = (value: unknown): void => {
    const order = traceOrderSchema.safeParse(value);
    if (order.success) traceProtocol(order.data.account, order.data.terms);
  };
  notices.subscribe(topic, ({ value }) => obey(value));
  return {
    method: 'POST', prefix: traceOrderPath, allow: 'backends', kind: 'step',
    answer: async (_, { body, peer }) => {
      const order = traceOrderSchema.safeParse(body);
      if (!order.success || order.data.terms.keeper !== peer?.identity.node) throw new Failure('bad-input', 'that is no order to trace, or one to tell another node');
      obey(order.data);
      notices.post(topic, order.data.account, order.data);
      return Promise.resolve({ status: 200, body: {} });
    },
  };
}
