/** `waybill trace`: the journey of a session, a message or an address through all nodes, out of their logs. */
import { levelName } from '../../shared/log/levels.ts';
import { loadConfig } from './load-config.ts';
import { Journey } from '../journey.ts';
import type { Entry } from '../journey.ts';
import { askNodes } from './ask-nodes.ts';
import type { NodesText } from './ask-nodes.ts';
import { table } from './table.ts';
import { timeOf } from './time-option.ts';
import { UsageError } from './usage-error.ts';

export interface TraceOptions {
  readonly config: string;
  /** As `2h`, `30m`, `3d`, or a time by ISO 8601. */
  readonly since: string;
  readonly json?: boolean;
}

/** Lines of all nodes in the order of time. @throws ConfigurationRefused, Failure, UsageError */
export async function traceText(what: string, options: TraceOptions): Promise<NodesText> {
  if (what.length < 3) throw new UsageError('say an id or an address');
  const config = await loadConfig(options.config);
  const journey = new Journey(async (body) => askNodes(config, ['frontend', 'backend'], { path: '/log-search', body }), timeOf('--since', options.since));
  await journey.follow(what);
  if (options.json === true) return { text: JSON.stringify({ entries: journey.entries, complaints: journey.complaints }, null, 2), complaints: journey.complaints };
  if (journey.entries.length === 0) return { text: `no node has logged anything of ${what} since ${options.since}`, complaints: journey.complaints };
  return { text: tableOf(journey.entries), complaints: journey.complaints };
}

/** Told in columns of their own, or of no use to a reader. */
const elsewhere = new Set(['time', 'level', 'host', 'pid', 'msg', 'service', 'session', 'item', 'err']);

function tableOf(entries: readonly Entry[]): string {
  const rows = entries.map((entry) => {
    const { time, level, host, service, session, item, err } = entry;
    const facts = Object.entries(entry).filter(([name, value]) => !elsewhere.has(name) && value !== undefined && value !== null).map(([name, value]) => `${name}=${plain(value)}`);
    const reason = typeof err === 'object' && err !== null && 'message' in err ? [`reason=${plain(err.message)}`] : [];
    const grade = level >= 40 ? `${levelName(level)}: ` : '';
    return [time, host, plain(service ?? ''), plain(session ?? ''), plain(item ?? ''), `${grade}${entry.msg}${facts.length + reason.length > 0 ? `: ${[...facts, ...reason].join(' ')}` : ''}`];
  });
  return table([['TIME', 'NODE', 'SERVICE', 'SESSION', 'MESSAGE', 'WHAT'], ...rows]);
}

/** What a stranger wrote must not move a terminal's cursor. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?').slice(0, 300);
}
