/**
 * The protocol traces that this back-end keeps: it writes the lines of its own sessions into a file, orders the front-ends to tell of
 * theirs, and takes their lines. A front-end that does not answer is asked again while the trace goes on; hearing twice changes nothing.
 */
import { traceLineSchema } from '../../cluster-config/admin/contract/protocol-trace.ts';
import type { NodeConfig } from '../../cluster-config/effective.ts';
import { protocolTraceFile } from '../../cluster-config/node-log.ts';
import type { NodeTls } from '../../cluster-config/node-tls.ts';
import { traceLinesPath, traceLinesSchema, traceOrderPath, traceOrderSchema } from '../../cluster-config/trace-routes.ts';
import type { TraceOrder } from '../../cluster-config/trace-routes.ts';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { LineFile } from '../../shared/log/line-file.ts';
import { openProtocolTrace, traceProtocol } from '../../shared/log/protocol-trace.ts';
import type { TraceTerms } from '../../shared/log/protocol-trace.ts';
import type { Notices } from '../../shared/service/notices.ts';

export interface ProtocolTracesGround {
  readonly config: NodeConfig;
  readonly tls: Pick<NodeTls, 'toNode'>;
  readonly notices: Notices;
}

/** Front-ends that were restarted hear of it within this time. */
const repeatMs = 15_000;
const silenceMs = 2000;
const topic = 'protocol trace';

export interface Silent {
  readonly node: string;
  readonly reason: string;
}

export class ProtocolTraces {
  readonly #notices: Notices;
  readonly #file: LineFile;
  readonly #frontends: ReadonlyMap<string, AdminTarget>;
  /** Of this worker: the orders that it repeats, by account. */
  readonly #repeats = new Map<string, NodeJS.Timeout>();

  constructor({ config, tls, notices }: ProtocolTracesGround) {
    this.#notices = notices;
    this.#file = new LineFile(protocolTraceFile(config));
    this.#frontends = new Map(Object.values(config.nodes).flatMap(({ name, role, host, endpoints: { admin: port } }): [string, AdminTarget][] =>
      role !== 'frontend' || port === undefined ? [] : [[name, { host, port, tls: tls.toNode(name) }]]));
    openProtocolTrace({ node: config.nodeName, primaryDomain: config.primaryDomain, write: (line) => this.#file.write(line, 'soon') });
    notices.subscribe(topic, ({ key, value }) => {
      const order = traceOrderSchema.safeParse(value);
      if (!order.success) return;
      this.#repeatNoMore(key); // another worker does now
      traceProtocol(key, order.data.terms);
    });
  }

  /** Answers which front-ends could not be told. @throws Failure('limit') */
  async order(account: string, terms: TraceTerms, where: 'here' | 'front-ends, too'): Promise<readonly Silent[]> {
    if (traceProtocol(account, terms) !== 'done') throw new Failure('limit', 'as many accounts as may be are traced; end one of them first');
    const order: TraceOrder = { account, terms: { ...terms } };
    this.#notices.post(topic, account, order);
    this.#repeatNoMore(account);
    // Front-ends that told before are to end it.
    const told: TraceOrder = where === 'here' ? { account, terms: { ...terms, untilMs: 0 } } : order;
    if (told.terms.untilMs > Date.now()) this.#repeats.set(account, setInterval(() => void this.#tellFrontends(told), repeatMs).unref());
    return this.#tellFrontends(told);
  }

  /** Lines of front-ends. */
  route(): AdminRoute {
    return {
      method: 'POST', prefix: traceLinesPath, allow: 'nodes', kind: 'step',
      answer: async (_, { body, peer }) => {
        const sent = traceLinesSchema.safeParse(body);
        const lines = sent.success ? sent.data.lines.map(lineOf) : [undefined];
        if (!lines.every((line) => line !== undefined && line.host === peer?.identity.node)) throw new Failure('bad-input', 'those are no lines of a protocol trace at that node');
        for (const line of lines) this.#file.write(`${JSON.stringify(line)}\n`, 'soon');
        return Promise.resolve({ status: 200, body: {} });
      },
    };
  }

  #repeatNoMore(account: string): void {
    clearInterval(this.#repeats.get(account));
    this.#repeats.delete(account);
  }

  async #tellFrontends(order: TraceOrder): Promise<readonly Silent[]> {
    if (order.terms.untilMs <= Date.now()) this.#repeatNoMore(order.account);
    const said = await Promise.all([...this.#frontends].map(async ([node, target]): Promise<readonly Silent[]> => {
      try {
        await callNode(target, { path: traceOrderPath, body: order, silenceMs });
        return [];
      } catch (error) {
        if (!isFailure(error)) throw error;
        return [{ node, reason: error.message }];
      }
    }));
    return said.flat();
  }
}

function lineOf(text: string): ReturnType<typeof traceLineSchema.parse> | undefined {
  try {
    return traceLineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
