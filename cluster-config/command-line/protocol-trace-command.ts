/** `waybill trace protocol`: what one user's sessions say, switched on for a while and shown. */
import { z } from 'zod';
import { protocolTraceSchema } from '../admin/contract/protocol-trace.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { table } from './table.ts';
import { timeOf } from './time-option.ts';
import { UsageError } from './usage-error.ts';

export interface ProtocolTraceOptions extends ApiOptions {
  /** As `30m` or `2h`. */
  readonly for: string;
  readonly since: string;
}

const switched = z.object({ node: z.string(), until: z.string().optional() });

/** @throws UsageError */
export async function protocolTraceText(address: string, what: string, options: ProtocolTraceOptions): Promise<string> {
  const path = `/accounts/${encodeURIComponent(address)}/protocol-trace`;
  if (what === 'show') {
    const query = `?since=${String(timeOf('--since', options.since))}`;
    const { node, until, isWhole, lines } = protocolTraceSchema.parse(await (await openApi(options)).ask(`${path}${query}`));
    const state = `${node}: ${until === undefined ? 'the trace is off' : `traced until ${until}`}${isWhole ? '' : '; there is more: ask for less by --since'}`;
    const rows = lines.map(({ time, service, session, way, text }) => [time, service, session, way === 'client' ? 'C:' : 'S:', text.replace(/[\p{Cc}\p{Cf}]/gu, '?')]);
    return rows.length === 0 ? `${state}\nnothing was written down` : `${table([['TIME', 'SERVICE', 'SESSION', '', 'TEXT'], ...rows])}\n${state}`;
  }
  if (what !== 'on' && what !== 'off') throw new UsageError('say on, off or show');
  const minutes = what === 'off' ? 0 : minutesOf(options.for);
  const { node, until } = switched.parse(await (await openApi(options)).ask(path, { method: 'POST', body: { minutes } }));
  return until === undefined ? `${node}: the trace is off` : `${node}: sessions that begin from now on are traced until ${until}`;
}

function minutesOf(text: string): number {
  const [, number, unit] = /^(\d{1,4})([mh])$/.exec(text) ?? [];
  const minutes = Number(number) * (unit === 'h' ? 60 : 1);
  if (number === undefined || minutes < 1 || minutes > 1440) throw new UsageError('--for is a span from 1m to 24h, such as 30m');
  return minutes;
}
