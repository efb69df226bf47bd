/** What the nodes make of the configuration, as it happens, and the restart of one for what waits for it. */
import { showNote } from '../../../../../../shared/page/toasts.tsx';
import { change, pathOf } from '../../api.ts';
import { distance, exactTime } from '../../format.ts';
import { Act } from '../../parts/act.tsx';
import { ask } from '../../parts/question.tsx';
import { Badge, Card, Shown } from '../../parts/screen.tsx';
import type { Tone } from '../../parts/screen.tsx';
import { Table } from '../../parts/table.tsx';
import type { Column } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';
import { hrefOf } from '../../route.ts';
import { may } from '../../session.ts';
import type { Standing, StatusView } from './views.ts';

const everyMs = 1500;

export function Standings() {
  const status = useResource<StatusView>('/configuration/status', { everyMs });
  return (
    <Card title="What the nodes make of it">
      <Shown of={status}>
        {(view) => (
          <>
            {view.trouble !== undefined && <p class="notice notice-error" role="alert">{view.trouble}</p>}
            <p class={view.nodes.every(({ kind }) => kind === 'runs') ? 'notice notice-good' : 'notice notice-warn'} role="status">{summaryOf(view)}</p>
            <Table caption="Nodes and their versions" columns={columnsWith(status.reload)} rows={view.nodes} keyOf={({ node }) => node} />
          </>
        )}
      </Shown>
    </Card>
  );
}

const kindNames: Readonly<Record<Standing['kind'], string>> = { runs: 'runs it', starting: 'starting with it', behind: 'not yet', refuses: 'refuses it', restarting: 'restarting', away: 'away' };
const tones: Readonly<Record<Standing['kind'], Tone>> = { runs: 'good', starting: 'plain', behind: 'plain', refuses: 'bad', restarting: 'warn', away: 'warn' };

/** In one sentence, for who only hears it. */
function summaryOf({ nodes, number }: StatusView): string {
  const what = number === undefined ? 'the configuration' : `version ${String(number)}`;
  const runs = nodes.filter(({ kind }) => kind === 'runs').length;
  if (runs === nodes.length) return `All ${String(runs)} nodes run ${what}.`;
  const others = (['refuses', 'starting', 'behind', 'restarting', 'away'] as const).flatMap((kind) => {
    const names = nodes.filter((one) => one.kind === kind).map(({ node }) => node);
    return names.length === 0 ? [] : [`${names.join(', ')}: ${kindNames[kind]}`];
  });
  return `${String(runs)} of ${String(nodes.length)} nodes run ${what}. ${others.join('; ')}.`;
}

function columnsWith(reload: () => Promise<void>): readonly Column<Standing>[] {
  return [
    { title: 'Node', kind: 'name', cell: ({ node }) => <a href={hrefOf(['overview', node])}>{node}</a> },
    { title: 'State', cell: ({ kind }) => <Badge tone={tones[kind]}>{kindNames[kind]}</Badge> },
    { title: 'Version', cell: ({ state }) => state?.running.number ?? (state === undefined ? '' : <code>{state.running.version}</code>) },
    { title: 'Since', cell: ({ state }) => (state === undefined ? '' : <time dateTime={state.running.since} title={exactTime(state.running.since)}>{distance(state.running.since)}</time>) },
    { title: 'Remark', kind: 'long', cell: (one) => remarksOf(one).map((remark) => <div key={remark}>{remark}</div>) },
    { title: 'Acts', kind: 'acts', cell: ({ node, kind }) => (kind === 'away' || kind === 'restarting' || !may('manageCluster') ? null : <Act looks="small" label={`Restart ${node}`} does={async () => restart(node, reload)}>Restart …</Act>) },
  ];
}

function remarksOf({ why, state }: Standing): readonly string[] {
  const { refused, restartFor = [], directory } = state ?? {};
  return [
    ...(why === undefined ? [] : [why]),
    ...(refused === undefined ? [] : [`Refuses ${refused.number === undefined ? 'the file' : `version ${String(refused.number)}`}: ${refused.why}`]),
    ...(restartFor.length === 0 ? [] : [`Needs a restart for ${restartFor.join(', ')}`]),
    ...(directory === undefined ? [] : [`Can't read the directory: ${directory}`]),
  ];
}

async function restart(node: string, reload: () => Promise<void>): Promise<void> {
  const reply = await ask({
    title: `Restart ${node}?`, verb: 'Restart it', danger: 'yes',
    text: <p>It accepts nothing new. Its sessions may end by themselves for as long as you give them, and are then told to. Then it starts with everything that waited for that.</p>,
    field: { label: 'Seconds for its sessions', value: '60', hint: '0 to 3600' },
  });
  if (reply.kind === 'no') return;
  if (!/^\d{1,4}$/.test(reply.text.trim())) throw new Error('The seconds are a number from 0 to 3600; nothing was restarted.');
  await change(pathOf('nodes', node, 'restart'), { method: 'POST', body: { waitSeconds: Number(reply.text) } });
  showNote(`${node} restarts.`);
  await reload();
}
