/** `waybill report`: what the nodes counted in a span of time, of the servers, a domain or an account. */
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { isLevel } from '../../shared/reporting/samples.ts';
import { askNodes, complaintsOf } from './ask-nodes.ts';
import type { NodesText } from './ask-nodes.ts';
import { loadConfig } from './load-config.ts';
import { table } from './table.ts';
import { timeOf } from './time-option.ts';
import { UsageError } from './usage-error.ts';

export interface ReportOptions {
  readonly config: string;
  readonly domain?: string;
  readonly account?: string;
  readonly from: string;
  readonly to?: string;
  readonly json?: boolean;
}

const answerSchema = z.object({ node: z.string(), samples: z.array(z.object({ atMs: z.number(), counter: z.string(), value: z.number() })) });
type Told = z.output<typeof answerSchema>;

/** One row for each counter, one column for each node. @throws ConfigurationRefused, Failure, UsageError */
export async function reportText(options: ReportOptions): Promise<NodesText> {
  const { domain, account } = options;
  if (domain !== undefined && account !== undefined) throw new UsageError('a report is about a domain or an account, not both');
  const scope = account !== undefined ? 'account' : domain !== undefined ? 'domain' : 'server';
  const [from, to] = [timeOf('--from', options.from), options.to === undefined ? Date.now() : timeOf('--to', options.to)];
  if (from > to) throw new UsageError('--from is later than --to');
  const query = new URLSearchParams({ scope, name: (account ?? domain ?? '').toLowerCase(), from: String(from), to: String(to) });
  const said = await askNodes(await loadConfig(options.config), scope === 'server' ? ['frontend', 'backend'] : ['backend'], { path: `/report?${query.toString()}` });
  const complaints = complaintsOf(said);
  const told = said.flatMap((one): Told[] => ('answer' in one ? [read(one.node, one.answer)] : []));
  if (options.json === true) return { text: JSON.stringify({ scope, from, to, nodes: told, complaints }, null, 2), complaints };
  const rows = rowsOf(told);
  if (rows.length === 0) return { text: 'nothing was counted in that time', complaints };
  return { text: table([['COUNTER', ...told.map(({ node }) => node)], ...rows]), complaints };
}

function read(node: string, given: unknown): Told {
  const parsed = answerSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Failure('bad-input', `${node} gave an answer that this program does not understand; is it of another version?`);
}

function rowsOf(told: readonly Told[]): string[][] {
  const counters = [...new Set(told.flatMap(({ samples }) => samples.map(({ counter }) => counter)))].toSorted();
  return counters.map((counter) => [isLevel(counter) ? `${counter} (last)` : counter, ...told.map(({ samples }) => {
    const values = samples.filter((sample) => sample.counter === counter).map(({ value }) => value);
    const value = isLevel(counter) ? values.at(-1) ?? 0 : values.reduce((sum, one) => sum + one, 0);
    return String(Math.round(value * 1000) / 1000);
  })]);
}
