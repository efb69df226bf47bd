/** The protocol trace of accounts at the back-end that writes it down: switched on and off in all its workers and at the front-ends, and shown. */
import { protocolTraceOperations, traceLineSchema } from '../../cluster-config/admin/contract/protocol-trace.ts';
import type { protocolTraceSchema, switchedTraceSchema } from '../../cluster-config/admin/contract/protocol-trace.ts';
import type { z } from 'zod';
import type { NodeConfig } from '../../cluster-config/effective.ts';
import { protocolTraceFile } from '../../cluster-config/node-log.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled, Reply } from '../../shared/admin-api/operation.ts';
import { nameOf } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { searchLogs } from '../../shared/log/log-search.ts';
import { tracedUntil } from '../../shared/log/protocol-trace.ts';
import type { Storage } from '../storage/storage.ts';
import type { ProtocolTraces } from './protocol-traces.ts';

export interface ProtocolTraceGround {
  readonly config: NodeConfig;
  readonly storage: Storage;
  readonly traces: ProtocolTraces;
  readonly log: Logger;
}

const limits = { lines: 5000, bytes: 256 * 1024 * 1024, ms: 10_000 };

interface Wanted {
  readonly minutes: number;
  readonly frontends: 'no' | 'login' | 'all';
}

export function protocolTraceHandlers(ground: ProtocolTraceGround): readonly Handled[] {
  const { config, storage } = ground;
  const canonical = (address: string): string => {
    const record = storage.find(address);
    if (record.at !== 'live') throw new Failure('unknown-user', `${config.nodeName} has no mailbox of ${address} yet`);
    return record.account.address;
  };
  const operations = protocolTraceOperations;
  return [
    handled(operations.traceProtocol, async ({ params, body, caller, reply }) => switched(ground, { account: canonical(params.address), wanted: body, caller, reply })),
    handled(operations.showProtocolTrace, async ({ params, query }) => shown(config, canonical(params.address), query.since)),
    handled(operations.traceProtocolAt, async ({ params, body, caller, reply }) => switched(ground, { account: params.address, wanted: body, caller, reply })),
    handled(operations.showProtocolTraceAt, async ({ params, query }) => shown(config, params.address, query.since)),
  ];
}

interface Switching {
  readonly account: string;
  readonly wanted: Wanted;
  readonly caller: Caller;
  readonly reply: Reply;
}

async function switched({ config, traces, log }: ProtocolTraceGround, { account, wanted: { minutes, frontends }, caller, reply }: Switching): Promise<z.input<typeof switchedTraceSchema>> {
  reply.note({ minutes, frontends });
  const silent = await traces.order(account, { untilMs: Date.now() + minutes * 60_000, keeper: config.nodeName, stream: frontends === 'all' ? 'yes' : 'no' }, frontends === 'no' ? 'here' : 'front-ends, too');
  log.warn({ account, minutes, frontends, by: nameOf(caller) }, minutes === 0 ? 'protocol trace switched off' : 'protocol trace switched on');
  return { node: config.nodeName, ...untilOf(account), silent: [...silent] };
}

async function shown(config: NodeConfig, account: string, sinceMs: number): Promise<z.input<typeof protocolTraceSchema>> {
  const { lines, end } = await searchLogs([protocolTraceFile(config)], { terms: [account], sinceMs, limits });
  const found = lines.flatMap(lineOf).filter((line) => line.account === account);
  // Those of front-ends come a moment later than they were said.
  return { node: config.nodeName, ...untilOf(account), isWhole: end === 'complete', lines: found.toSorted((one, other) => (one.time < other.time ? -1 : Number(one.time > other.time))) };
}

function untilOf(account: string): { until?: string } {
  const untilMs = tracedUntil(account);
  return untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() };
}

function lineOf(line: string): z.output<typeof traceLineSchema>[] {
  try {
    return [traceLineSchema.parse(JSON.parse(line))];
  } catch {
    return []; // the end of a write that a crash cut
  }
}
