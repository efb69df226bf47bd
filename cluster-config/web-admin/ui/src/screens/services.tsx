/** The services of a node: their states; each is started, stopped and restarted by itself. */
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf } from '../api.ts';
import { distance, exactTime } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Badge, Card, Empty, Shown } from '../parts/screen.tsx';
import type { Tone } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { may } from '../session.ts';
import type { Capability, ServicesView, ServiceView } from '../views.ts';

/** What each needs of who starts and stops it. */
const permissions: Readonly<Record<ServiceView['name'], Capability>> = {
  smtpProxy: 'manageSMTPProxy', imapProxy: 'manageIMAPProxy', pop3Proxy: 'managePOP3Proxy', webmailProxy: 'manageWebmailProxy',
  smtpReceiving: 'manageSMTPIn', processing: 'manageProcessing', imap: 'manageIMAP', pop3: 'managePOP3', webmail: 'manageWebmail',
};

export function Services({ node }: { readonly node: string }) {
  const services = useResource<ServicesView>(pathOf('nodes', node, 'services'), { everyMs: 3000 });
  return (
    <Card title="Services">
      <Shown of={services}>
        {({ services: all }) => (all.length === 0
          ? <Empty icon="settings">The configuration enables no service of this node. IMAP, SMTP and the others would be here.</Empty>
          : <Table caption={`Services of ${node}`} columns={columnsWith(node, services.reload)} rows={all} keyOf={({ name }) => name} />)}
      </Shown>
    </Card>
  );
}

const tones: Readonly<Record<ServiceView['state'], Tone>> = { running: 'good', starting: 'warn', stopping: 'warn', stopped: 'plain', failed: 'bad' };

function columnsWith(node: string, reload: () => Promise<void>): readonly Column<ServiceView>[] {
  return [
    { title: 'Service', kind: 'name', cell: ({ name }) => name },
    { title: 'State', cell: ({ state, reason }) => <><Badge tone={tones[state]}>{state}</Badge>{reason !== undefined && <div class="soft small">{reason}</div>}</> },
    { title: 'Since', cell: ({ workers: [first] }) => (first === undefined ? '' : <time dateTime={first.since} title={exactTime(first.since)}>{distance(first.since)}</time>) },
    { title: 'Workers', kind: 'number', cell: ({ workers }) => workers.length },
    { title: 'Acts', kind: 'acts', cell: (service) => may(permissions[service.name]) && <ServiceActs node={node} service={service} done={reload} /> },
  ];
}

function ServiceActs({ node, service: { name, state }, done }: { readonly node: string; readonly service: ServiceView; readonly done: () => Promise<void> }) {
  const act = async (what: 'start' | 'stop' | 'restart'): Promise<void> => {
    if (what !== 'start' && !await isSure(what, node, name)) return;
    const after = await change<ServiceView>(pathOf('nodes', node, 'services', name, what), { method: 'POST' });
    showNote(`${name} at ${node} is ${after.state}${after.reason === undefined ? '.' : `: ${after.reason}`}`);
    await done();
  };
  if (state === 'stopped') return <Act looks="small" label={`Start ${name}`} does={async () => act('start')}>Start</Act>;
  return (
    <>
      <Act looks="small" label={`Restart ${name}`} does={async () => act('restart')}>Restart …</Act>
      <Act looks="small" label={`Stop ${name}`} does={async () => act('stop')}>Stop …</Act>
    </>
  );
}

async function isSure(what: 'stop' | 'restart', node: string, name: string): Promise<boolean> {
  const reply = await ask({
    title: `${what === 'stop' ? 'Stop' : 'Restart'} ${name} at ${node}?`, verb: what === 'stop' ? 'Stop it' : 'Restart it', danger: what === 'stop' ? 'yes' : 'no',
    text: (
      <>
        <p>It takes nothing new; its sessions may finish what they do (drainSeconds at most) and are ended then.</p>
        {what === 'stop' && <p>It stays stopped until it is started here, or the node itself is started again.</p>}
      </>
    ),
  });
  return reply.kind === 'yes';
}
