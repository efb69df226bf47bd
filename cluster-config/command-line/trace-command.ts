/** `waybill trace`: the journey of a session, a message or an address through all nodes, out of their logs. */
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { levelName } from '../../shared/log/levels.ts';
import { loadConfig } from './load-config.ts';
import type { ClusterConfig } from '../load.ts';
import { askNodes, complaintsOf } from './ask-nodes.ts';
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

const found = z.object({ lines: z.array(z.string()), end: z.enum(['complete', 'cut']), keeps: z.enum(['files', 'nothing']) });
const entrySchema = z.looseObject({ time: z.string(), level: z.number(), host: z.string(), msg: z.string().default('') });
type Entry = z.output<typeof entrySchema>;

/** A message goes from session to queue to the next node's queue: more steps than this nothing takes. */
const mostSteps = 4;
const mostIds = 200;

/** Lines of all nodes in the order of time. @throws ConfigurationRefused, Failure, UsageError */
export async function traceText(what: string, options: TraceOptions): Promise<NodesText> {
  if (what.length < 3) throw new UsageError('say an id or an address');
  const config = await loadConfig(options.config);
  const journey = new Journey(config, timeOf('--since', options.since));
  await journey.follow(what);
  if (options.json === true) return { text: JSON.stringify({ entries: journey.entries, complaints: journey.complaints }, null, 2), complaints: journey.complaints };
  if (journey.entries.length === 0) return { text: `no node has logged anything of ${what} since ${options.since}`, complaints: journey.complaints };
  return { text: tableOf(journey.entries), complaints: journey.complaints };
}

class Journey {
  readonly #config: ClusterConfig;
  readonly #sinceMs: number;
  readonly #lines = new Map<string, Entry>();
  readonly #complaints = new Set<string>();
  readonly #asked = new Set<string>();

  constructor(config: ClusterConfig, sinceMs: number) {
    this.#config = config;
    this.#sinceMs = sinceMs;
  }

  get entries(): readonly Entry[] {
    return [...this.#lines.values()].toSorted((one, other) => Date.parse(one.time) - Date.parse(other.time));
  }

  get complaints(): readonly string[] {
    return [...this.#complaints];
  }

  /** Asks for a word, then for the ids that stand in what was found, and so on. */
  async follow(what: string): Promise<void> {
    let terms = [what];
    for (let step = 0; step < mostSteps && terms.length > 0; step += 1) {
      for (const term of terms) this.#asked.add(term);
      await this.#ask(terms);
      const ids = new Set([...this.#lines.values()].flatMap(idsOf).filter((id) => !this.#asked.has(id)));
      if (ids.size > mostIds) this.#complaints.add(`has more to tell: only ${String(mostIds)} sessions and messages of ${String(ids.size)} were followed; ask for less by --since`);
      terms = [...ids].slice(0, mostIds);
    }
  }

  async #ask(terms: readonly string[]): Promise<void> {
    const said = await askNodes(this.#config, ['frontend', 'backend'], { path: '/log-search', body: { terms, sinceMs: this.#sinceMs } });
    for (const complaint of complaintsOf(said)) this.#complaints.add(complaint);
    for (const one of said) {
      if (!('answer' in one)) continue;
      const parsed = found.safeParse(one.answer);
      if (!parsed.success) throw new Failure('bad-input', `${one.node} gave an answer that this program does not understand; is it of another version?`);
      if (parsed.data.keeps === 'nothing') this.#complaints.add(`${one.node} logs to standard output, which is no file: it can't be searched`);
      if (parsed.data.end === 'cut') this.#complaints.add(`${one.node} has more than it may tell at once: ask for less by --since`);
      for (const line of parsed.data.lines) this.#keep(line);
    }
  }

  #keep(line: string): void {
    try {
      this.#lines.set(line, entrySchema.parse(JSON.parse(line)));
    } catch {
      this.#complaints.add('a log has a line that can\'t be read; it is left out');
    }
  }
}

/** Ids of the session and the message that a line is about. A queue item of another node is `NODE-ID` there. */
function idsOf(entry: Entry): string[] {
  const { session, item, handedOver } = entry;
  const text = (value: unknown): string[] => (typeof value === 'string' && value !== '' ? [value] : []);
  return [...text(session), ...text(item), ...text(handedOver).map((id) => id.slice(id.indexOf('-') + 1))];
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
