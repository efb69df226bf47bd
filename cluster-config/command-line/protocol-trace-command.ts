/** `waybill trace protocol`: what one user's sessions say, switched on for a while and shown. */
import { protocolTraceSchema, switchedTraceSchema } from '../admin/contract/protocol-trace.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { table } from './table.ts';
import { timeOf } from './time-option.ts';
import { UsageError } from './usage-error.ts';

export interface ProtocolTraceOptions extends ApiOptions {
  /** As `30m` or `2h`. */
  readonly for: string;
  readonly since: string;
  /** What front-ends tell: `no`, `login`, `all`. */
  readonly frontEnds: string;
  /** The back-end that writes it down; the one that keeps the account when absent. */
  readonly at?: string;
}

/** @throws UsageError */
export async function protocolTraceText(address: string, what: string, options: ProtocolTraceOptions): Promise<string> {
  const path = options.at === undefined ? `/accounts/${encodeURIComponent(address)}/protocol-trace` : `/nodes/${encodeURIComponent(options.at)}/protocol-traces/${encodeURIComponent(address)}`;
  if (what === 'show') {
    const query = `?since=${String(timeOf('--since', options.since))}`;
    const { node, until, isWhole, lines } = protocolTraceSchema.parse(await (await openApi(options)).ask(`${path}${query}`));
    const state = `${node}: ${until === undefined ? 'the trace is off' : `traced until ${until}`}${isWhole ? '' : '; there is more: ask for less by --since'}`;
    const rows = lines.map(({ time, host, service, session, way, text }) => [time, host, service, session, way === 'client' ? 'C:' : 'S:', text.replace(/[\p{Cc}\p{Cf}]/gu, '?')]);
    return rows.length === 0 ? `${state}\nnothing was written down` : `${table([['TIME', 'NODE', 'SERVICE', 'SESSION', '', 'TEXT'], ...rows])}\n${state}`;
  }
  if (what !== 'on' && what !== 'off') throw new UsageError('say on, off or show');
  const minutes = what === 'off' ? 0 : minutesOf(options.for);
  if (!['no', 'login', 'all'].includes(options.frontEnds)) throw new UsageError('--front-ends is no, login or all');
  const { node, until, silent } = switchedTraceSchema.parse(await (await openApi(options)).ask(path, { method: 'POST', body: { minutes, frontends: options.frontEnds } }));
  const state = until === undefined ? `${node}: the trace is off` : `${node}: sessions that begin from now on are traced until ${until}`;
  return [state, ...silent.map((one) => `${one.node}: ${one.reason}; it is told when it answers`)].join('\n');
}

function minutesOf(text: string): number {
  const [, number, unit] = /^(\d{1,4})([mh])$/.exec(text) ?? [];
  const minutes = Number(number) * (unit === 'h' ? 60 : 1);
  if (number === undefined || minutes < 1 || minutes > 1440) throw new UsageError('--for is a span from 1m to 24h, such as 30m');
  return minutes;
}
