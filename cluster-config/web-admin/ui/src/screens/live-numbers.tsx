/** What a node does now: levels as they are, and rates from what its counters gained since they were asked before. */
import { useRef } from 'preact/hooks';
import { pathOf } from '../api.ts';
import { Card, Shown } from '../parts/screen.tsx';
import { valueText } from '../reports/units.ts';
import type { Unit } from '../reports/catalogue.ts';
import { useResource } from '../resource.ts';
import type { NodeView, NumbersView } from '../views.ts';

const everyMs = 5000;

interface Tile {
  readonly title: string;
  /** What is summed up. */
  readonly counters: RegExp;
  readonly unit: Unit;
  /** `rate`: for a second. */
  readonly tells: 'level' | 'rate';
  /** Words behind the number. */
  readonly suffix?: string;
}

const common: readonly Tile[] = [
  { title: 'Processors in use', counters: /^process_cpu_seconds$/, unit: 'processors', tells: 'rate' },
  { title: 'Memory', counters: /^process_resident_memory_bytes$/, unit: 'bytes', tells: 'level' },
  { title: 'Event-loop lag, worst', counters: /^event_loop_lag_seconds$/, unit: 'seconds', tells: 'level' },
];

const tiles: Readonly<Record<NodeView['role'], readonly Tile[]>> = {
  frontend: [
    { title: 'Sessions', counters: /^proxy_sessions\//, unit: 'count', tells: 'level' },
    { title: 'Logins', counters: /_authenticated_success\//, unit: 'processors', tells: 'rate', suffix: '/s' },
    { title: 'Failed logins', counters: /^login_failed\//, unit: 'processors', tells: 'rate', suffix: '/s' },
    { title: 'Messages accepted', counters: /^smtp_inbound_message\//, unit: 'processors', tells: 'rate', suffix: '/s' },
    { title: 'Directory operations', counters: /^directory_operation$/, unit: 'processors', tells: 'rate', suffix: '/s' },
    ...common,
  ],
  backend: [
    { title: 'Connections', counters: /^(imap|pop3|smtp)_inbound_connection_open\//, unit: 'count', tells: 'level' },
    { title: 'Logins', counters: /_authenticated_success\//, unit: 'processors', tells: 'rate', suffix: '/s' },
    { title: 'IMAP commands', counters: /^imap_command$/, unit: 'processors', tells: 'rate', suffix: '/s' },
    { title: 'Messages accepted', counters: /^smtp_inbound_message\//, unit: 'processors', tells: 'rate', suffix: '/s' },
    { title: 'Queue', counters: /^processing_queue_size$/, unit: 'count', tells: 'level' },
    ...common,
  ],
};

export function LiveNumbers({ node, role }: { readonly node: string; readonly role: NodeView['role'] }) {
  const numbers = useResource<NumbersView>(pathOf('nodes', node, 'numbers'), { everyMs });
  return (
    <Card title="Now">
      <Shown of={numbers}>{(now) => <Tiles now={now} of={tiles[role]} />}</Shown>
    </Card>
  );
}

function Tiles({ now, of }: { readonly now: NumbersView; readonly of: readonly Tile[] }) {
  const seen = useRef<{ readonly before: NumbersView | undefined; readonly now: NumbersView }>({ before: undefined, now });
  if (seen.current.now !== now) seen.current = { before: seen.current.now, now };
  return (
    <dl class="tiles">
      {of.map((tile) => <div key={tile.title}><dt>{tile.title}</dt><dd>{tileText(tile, seen.current)}</dd></div>)}
    </dl>
  );
}

function tileText({ counters, unit, tells, suffix = '' }: Tile, { before, now }: { readonly before: NumbersView | undefined; readonly now: NumbersView }): string {
  if (tells === 'level') return valueText(sumOf(now, counters), unit);
  if (before === undefined) return '…';
  // A node that began anew counts from 0.
  const gained = Math.max(0, sumOf(now, counters) - sumOf(before, counters));
  return `${valueText(gained / Math.max(0.001, (now.atMs - before.atMs) / 1000), unit)}${suffix === '' ? '' : ` ${suffix}`}`;
}

function sumOf({ values }: NumbersView, counters: RegExp): number {
  return values.reduce((sum, { counter, value }) => (counters.test(counter) ? sum + value : sum), 0);
}
