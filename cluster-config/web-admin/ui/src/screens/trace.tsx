/** The journey of a session, a message or an address through all nodes, out of their logs. */
import { queryOf } from '../api.ts';
import { Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import type { TraceView } from '../views.ts';
import { JourneyLines, JourneyParts } from './journey.tsx';
import { ProtocolTrace } from './protocol-trace.tsx';

const hourMs = 3_600_000;
const spans = [[1, 'the last hour'], [6, 'the last 6 hours'], [24, 'the last day'], [168, 'the last week']] as const;
const orders = { part: 'session and message', time: 'time' } as const;
type Order = keyof typeof orders;

export function Trace() {
  const { query } = place.value;
  const what = query.get('what') ?? '';
  const hours = query.get('hours') ?? '24';
  const order: Order = query.get('order') === 'time' ? 'time' : 'part';
  return (
    <Screen title="Trace" lead="What happened to a session, a message or an address, at all nodes.">
      <form key={query.toString()} class="filter" role="search" aria-label="Logs" onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        goTo(hrefOf(['trace'], { what: String(fields.get('what') ?? '').trim(), hours: String(fields.get('hours')), order: String(fields.get('order')) }), 'replace');
      }}>
        <label class="field"><span>Id or address</span><input name="what" type="search" autocapitalize="none" spellcheck={false} required minLength={3} maxLength={400} defaultValue={what} placeholder="alice@example.com" /></label>
        <label class="field"><span>Within</span>
          <select name="hours">{spans.map(([value, text]) => <option key={value} value={value} selected={String(value) === hours}>{text}</option>)}</select>
        </label>
        <label class="field"><span>Ordered by</span>
          <select name="order">{Object.entries(orders).map(([value, text]) => <option key={value} value={value} selected={value === order}>{text}</option>)}</select>
        </label>
        <button class="button" type="submit">Search</button>
      </form>
      {what.length < 3
        ? <Empty icon="log">Give an address, the id of a session (Sessions shows them) or of a queued message. Its way through the cluster would be here.</Empty>
        : (
          <>
            <Journey key={`${what} ${hours}`} what={what} order={order} sinceMs={Math.floor(Date.now() / 60_000) * 60_000 - Number(hours) * hourMs} />
            {/^[^@\s]+@[^@\s]+$/.test(what) && <ProtocolTrace key={what} address={what} at={query.get('at') ?? ''} />}
          </>
        )}
    </Screen>
  );
}

function Journey({ what, order, sinceMs }: { readonly what: string; readonly order: Order; readonly sinceMs: number }) {
  const trace = useResource<TraceView>(`/trace${queryOf({ what, sinceMs: String(sinceMs) })}`);
  return (
    <Shown of={trace}>
      {({ entries, complaints }) => (
        <>
          {complaints.map((text) => <p key={text} class="notice" role="status">{text}.</p>)}
          {entries.length === 0
            ? <Card title="No line"><Empty icon="log">No node has logged anything of “{what}” in that time.</Empty></Card>
            : order === 'time' ? <JourneyLines what={what} entries={entries} /> : <JourneyParts entries={entries} />}
        </>
      )}
    </Shown>
  );
}
