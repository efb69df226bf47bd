/** The protocol trace of accounts that this back-end keeps: switched on and off in all its workers, and shown. */
import { protocolTraceOperations, protocolTraceSchema } from '../../cluster-config/admin/contract/protocol-trace.ts';
import type { NodeConfig } from '../../cluster-config/effective.ts';
import { protocolTraceFile } from '../../cluster-config/node-log.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { nameOf } from '../../shared/admin-api/caller.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { searchLogs } from '../../shared/log/log-search.ts';
import { openProtocolTrace, traceProtocol, tracedUntil } from '../../shared/log/protocol-trace.ts';
import type { Notices } from '../../shared/service/notices.ts';
import type { Storage } from '../storage/storage.ts';

export interface ProtocolTraceGround {
  readonly config: NodeConfig;
  readonly storage: Storage;
  readonly notices: Notices;
  readonly log: Logger;
}

const topic = 'protocol trace';
const limits = { lines: 5000, bytes: 256 * 1024 * 1024, ms: 10_000 };
const lineSchema = protocolTraceSchema.shape.lines.element;

export function protocolTraceHandlers({ config, storage, notices, log }: ProtocolTraceGround): readonly Handled[] {
  const file = protocolTraceFile(config);
  openProtocolTrace(config.nodeName, file);
  notices.subscribe(topic, ({ key, value }) => void traceProtocol(key, Number(value)));
  const canonical = (address: string): string => {
    const record = storage.find(address);
    if (record.at !== 'live') throw new Failure('unknown-user', `${config.nodeName} has no mailbox of ${address} yet`);
    return record.account.address;
  };
  return [
    handled(protocolTraceOperations.traceProtocol, async ({ params, body: { minutes }, caller, reply }) => {
      reply.note({ minutes });
      const account = canonical(params.address);
      const untilMs = Date.now() + minutes * 60_000;
      if (traceProtocol(account, untilMs) !== 'done') throw new Failure('limit', 'as many accounts as may be are traced; end one of them first');
      notices.post(topic, account, untilMs);
      log.warn({ account, minutes, by: nameOf(caller) }, minutes === 0 ? 'protocol trace switched off' : 'protocol trace switched on');
      return Promise.resolve({ node: config.nodeName, ...untilOf(account) });
    }),
    handled(protocolTraceOperations.showProtocolTrace, async ({ params, query }) => {
      const account = canonical(params.address);
      const { lines, end } = await searchLogs([file], { terms: [account], sinceMs: query.since, limits });
      return { node: config.nodeName, ...untilOf(account), isWhole: end === 'complete', lines: lines.flatMap(lineOf).filter((line) => line.account === account) };
    }),
  ];
}

function untilOf(account: string): { until?: string } {
  const untilMs = tracedUntil(account);
  return untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() };
}

function lineOf(line: string): ReturnType<typeof lineSchema.parse>[] {
  try {
    return [lineSchema.parse(JSON.parse(line))];
  } catch {
    return []; // the end of a write that a crash cut
  }
}
