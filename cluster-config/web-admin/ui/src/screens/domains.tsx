/** The domains whose mail is ours. */
import { countText } from '../format.ts';
import { Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { hrefOf } from '../route.ts';
import type { DomainsView, DomainView } from '../views.ts';

export function Domains() {
  const domains = useResource<DomainsView>('/domains');
  return (
    <Screen title="Domains" lead="Mail for these is ours. Domains stand in the configuration.">
      <Shown of={domains}>
        {({ domains: all }) => (
          <Card title={countText(all.length, 'domain')}>
            {all.length === 0 ? <Empty icon="domain">No domain is yours to administer.</Empty> : <Table caption="Domains" columns={columns} rows={all} keyOf={({ name }) => name} />}
          </Card>
        )}
      </Shown>
    </Screen>
  );
}

const kinds: Readonly<Record<DomainView['kind'], string>> = { primary: 'primary: for names without a domain', secondary: 'secondary', alias: 'alias' };

const columns: readonly Column<DomainView>[] = [
  { title: 'Domain', kind: 'name', cell: ({ name }) => <a href={hrefOf(['accounts'], { search: `@${name}` })}>{name}</a> },
  { title: 'Kind', cell: ({ kind, of }) => (of === undefined ? kinds[kind] : `stands for ${of}`) },
  { title: 'Who its users are', cell: ({ maps }) => (maps.length === 0 ? 'local accounts of back-ends' : `user map ${maps.join(', ')}`) },
];
