/** The journey of a session, a message or an address through all nodes, out of their logs. */
import { queryOf } from '../api.ts';
import { countText, exactTime } from '../format.ts';
import { Badge, Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import type { LogEntry, TraceView } from '../views.ts';
import { ProtocolTrace } from './protocol-trace.tsx';

const hourMs = 3_600_000;
const spans = [[1, 'the last hour'], [6, 'the last 6 hours'], [24, 'the last day'], [168, 'the last week']] as const;

export function Trace() {
  const { query } = place.value;
  const what = query.get('what') ?? '';
  const hours = query.get('hours') ?? '24';
  return (
    <Screen title="Trace" lead="What happened to a session, a message or an address, at all nodes.">
      <form key={query.toString()} class="filter" role="search" aria-label="Logs" onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        goTo(hrefOf(['trace'], { what: String(fields.get('what') ?? '').trim(), hours: String(fields.get('hours')) }), 'replace');
      }}>
        <label class="field"><span>Id or address</span><input name="what" type="search" autocapitalize="none" spellcheck={false} required minLength={3} maxLength={400} defaultValue={what} placeholder="alice@example.com" /></label>
        <label class="field"><span>Within</span>
          <select name="hours">{spans.map(([value, text]) => <option key={value} value={value} selected={String(value) === hours}>{text}</option>)}</select>
        </label>
        <button class="button" type="submit">Search</button>
      </form>
      {what.length < 3
        ? <Empty icon="log">Give an address, the id of a session (Sessions shows them) or of a queued message. Its way through the cluster would be here.</Empty>
        : (
          <>
            <Journey key={`${what} ${hours}`} what={what} sinceMs={Math.floor(Date.now() / 60_000) * 60_000 - Number(hours) * hourMs} />
            {/^[^@\s]+@[^@\s]+$/.test(what) && <ProtocolTrace key={what} address={what} />}
          </>
        )}
    </Screen>
  );
}

function Journey({ what, sinceMs }: { readonly what: string; readonly sinceMs: number }) {
  const trace = useResource<TraceView>(`/trace${queryOf({ what, sinceMs: String(sinceMs) })}`);
  return (
    <Shown of={trace}>
      {({ entries, complaints }) => (
        <>
          {complaints.map((text) => <p key={text} class="notice" role="status">{text}.</p>)}
          <Card title={countText(entries.length, 'line')}>
            {entries.length === 0
              ? <Empty icon="log">No node has logged anything of “{what}” in that time.</Empty>
              : <Table caption={`Log lines of ${what}`} columns={columns} rows={entries} keyOf={(entry) => JSON.stringify(entry)} />}
          </Card>
        </>
      )}
    </Shown>
  );
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
