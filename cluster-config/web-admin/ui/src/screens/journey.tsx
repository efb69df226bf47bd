/** The way of sessions and messages through the cluster: a part for each of them, or all lines by time. */
import { countText, exactTime } from '../format.ts';
import { Badge, Card } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { hrefOf } from '../route.ts';
import type { LogEntry } from '../views.ts';

interface Part {
  readonly title: string;
  /** The column that says the same in each line. */
  readonly needless?: 'Session' | 'Message';
  readonly entries: readonly LogEntry[];
}

/** A card for each message and each session, in the order in which they began; what belongs to neither comes last. */
export function JourneyParts({ entries }: { readonly entries: readonly LogEntry[] }) {
  return <>{partsOf(entries).map((part) => <PartCard key={part.title} part={part} />)}</>;
}

/** All lines in one table. */
export function JourneyLines({ what, entries }: { readonly what: string; readonly entries: readonly LogEntry[] }) {
  return (
    <Card title={countText(entries.length, 'line')}>
      <Table caption={`Log lines of ${what}`} columns={columns} rows={entries} keyOf={keyOf} />
    </Card>
  );
}

/** A message is followed from queue to queue; a line of a session that is about a message stands with the message. */
function partsOf(entries: readonly LogEntry[]): readonly Part[] {
  const byTitle = Map.groupBy(entries, ({ item, session }) => (typeof item === 'string' ? `Message ${item}` : typeof session === 'string' ? `Session ${session}` : ''));
  const others = byTitle.get('') ?? [];
  byTitle.delete('');
  const parts = [...byTitle].map(([title, mine]): Part => ({ title, entries: mine, needless: title.startsWith('Message') ? 'Message' : 'Session' }));
  return others.length === 0 ? parts : [...parts, { title: 'Other lines', entries: others }];
}

function PartCard({ part: { title, entries, needless } }: { readonly part: Part }) {
  return (
    <Card title={title}>
      <p class="panel-foot journey-nodes">{[...new Set(entries.map(({ host }) => host))].join(', ')} · {countText(entries.length, 'line')}</p>
      <Table caption={`Log lines of ${title}`} columns={columns.filter((column) => column.title !== needless)} rows={entries} keyOf={keyOf} />
    </Card>
  );
}

function keyOf(entry: LogEntry): string {
  return JSON.stringify(entry);
}

const columns: readonly Column<LogEntry>[] = [
  { title: 'Time', kind: 'name', cell: ({ time }) => <time dateTime={time}>{exactTime(time)}</time> },
  { title: 'Node', cell: ({ host }) => host },
  { title: 'Service', cell: ({ service }) => textOf(service) },
  { title: 'What', kind: 'long', cell: (entry) => <What {...entry} /> },
  { title: 'Session', kind: 'long', cell: ({ session }) => (typeof session === 'string' ? <IdLink id={session} /> : '') },
  { title: 'Message', kind: 'long', cell: ({ item }) => (typeof item === 'string' ? <IdLink id={item} /> : '') },
];

/** Told in columns of their own, or of no use to a reader. */
const elsewhere = new Set(['time', 'level', 'host', 'pid', 'msg', 'service', 'session', 'item', 'err']);
const warning = 40;
const failure = 50;

function What(entry: LogEntry) {
  const { level, msg, err } = entry;
  const facts = Object.entries(entry).filter(([name, value]) => !elsewhere.has(name) && value !== null && value !== undefined);
  const reason = typeof err === 'object' && err !== null && 'message' in err ? textOf(err.message) : '';
  return (
    <>
      <div>{level >= warning && <><Badge tone={level >= failure ? 'bad' : 'warn'}>{level >= failure ? 'error' : 'warning'}</Badge> </>}{msg}{reason !== '' && `: ${reason}`}</div>
      {facts.length > 0 && <div class="soft small">{facts.map(([name, value]) => `${name}: ${textOf(value)}`).join(' · ')}</div>}
    </>
  );
}

function IdLink({ id }: { readonly id: string }) {
  return <a class="mono id" href={hrefOf(['trace'], { what: id })}>{id}</a>;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
