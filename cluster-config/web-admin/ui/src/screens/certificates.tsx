/** When the certificates of a node end. */
import { distance, exactTime } from '../format.ts';
import { Badge, Card, Empty } from '../parts/screen.tsx';
import type { Tone } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import type { CertificateView, NodeView } from '../views.ts';

export function Certificates({ of: { name, certificates } }: { readonly of: NodeView }) {
  return (
    <Card title="Certificates">
      {certificates.length === 0
        ? <Empty icon="key">The node tells of no certificate. Those that it shows to clients and to other nodes would be here.</Empty>
        : <Table caption={`Certificates of ${name}`} columns={columns} rows={certificates} keyOf={({ parameter }) => parameter} />}
    </Card>
  );
}

const tones: Readonly<Record<CertificateView['standing'], Tone>> = { good: 'good', ending: 'warn', over: 'bad' };
const names: Readonly<Record<CertificateView['standing'], string>> = { good: 'good', ending: 'ends soon', over: 'over' };

/** What each is for, by the first word of its parameter. */
const uses: readonly (readonly [RegExp, string])[] = [
  [/^tls\.certificate$/, 'shown to clients'], [/^tls\.nodeCertificate$/, 'shown to other nodes'], [/^tls\.clusterAuthority$/, 'the authority of all nodes'], [/^tls\.virtualHosts/, 'shown to clients of a virtual host'],
];

const columns: readonly Column<CertificateView>[] = [
  { title: 'Parameter', kind: 'name', cell: ({ parameter }) => <code>{parameter}</code> },
  { title: 'Use', cell: ({ parameter }) => uses.find(([pattern]) => pattern.test(parameter))?.[1] ?? '' },
  { title: 'Ends', cell: ({ endsAt }) => <time dateTime={endsAt}>{exactTime(endsAt)} <span class="soft">({distance(endsAt)})</span></time> },
  { title: 'State', cell: ({ standing }) => <Badge tone={tones[standing]}>{names[standing]}</Badge> },
];
