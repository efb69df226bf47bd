/** The domains whose mail is ours; `#/domains/example.org` is one of them. */
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change } from '../api.ts';
import { countText } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { hrefOf, place } from '../route.ts';
import { session } from '../session.ts';
import type { DomainsView, DomainView } from '../views.ts';
import { DomainScreen, DomainState } from './domain.tsx';

/** A changed configuration is taken up by nodes within some seconds. */
const lookMs = 3000;

export function Domains() {
  const [name] = place.value.parts;
  return name === undefined ? <List /> : <DomainScreen name={name} />;
}

function List() {
  const domains = useResource<DomainsView>('/domains', { everyMs: lookMs });
  const isWhole = session.value.at === 'signed-in' && session.value.who.domains.length === 0;
  const add = async (): Promise<void> => {
    const reply = await ask({ title: 'Take the mail of another domain?', verb: 'Add it', text: <p>User maps without a list of domains are asked for its users; where there is none, its accounts are local. Its MX records are to lead here.</p>, field: { label: 'Domain', value: '' } });
    if (reply.kind === 'no') return;
    const { domain } = await change<{ readonly domain: string }>('/domains', { method: 'POST', body: { domain: reply.text.trim() } });
    showNote(`${domain} is added; nodes take it up within some seconds.`);
    await domains.reload();
  };
  return (
    <Screen title="Domains" lead="Mail for these is ours. Domains stand in the configuration." actions={isWhole && <Act looks="primary" does={add}>Add a domain …</Act>}>
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
  { title: 'Domain', kind: 'name', cell: ({ name }) => <a href={hrefOf(['domains', name])}>{name}</a> },
  { title: 'State', cell: ({ status }) => <DomainState status={status} /> },
  { title: 'Kind', cell: ({ kind, of }) => (of === undefined ? kinds[kind] : `stands for ${of}`) },
  { title: 'Who its users are', cell: ({ maps }) => (maps.length === 0 ? 'local accounts of back-ends' : `user map ${maps.join(', ')}`) },
];
