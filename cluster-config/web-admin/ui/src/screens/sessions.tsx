/** Live sessions on all front-ends: found by account, client or back-end, and cut. */
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, queryOf } from '../api.ts';
import { countText, distance, exactTime } from '../format.ts';
import { nodesOf, useNodes } from '../nodes.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Card, Empty, Screen, Shown, Trouble } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import { may } from '../session.ts';
import type { LiveSession, SessionsView } from '../views.ts';

interface Filter {
  readonly account?: string | undefined;
  readonly address?: string | undefined;
  readonly backend?: string | undefined;
}

function filterOf(query: URLSearchParams): Filter {
  const field = (name: string): string | undefined => query.get(name) ?? undefined;
  return { account: field('account'), address: field('address'), backend: field('backend') };
}

export function Sessions() {
  const filter = filterOf(place.value.query);
  const sessions = useResource<SessionsView>(`/sessions${queryOf({ ...filter })}`, { everyMs: 5000 });
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const cut = async (what: Filter, named: string): Promise<void> => {
    if (await cutSessions(what, named)) await sessions.reload();
  };
  return (
    <Screen title="Sessions" lead="Who is connected now, through any front-end." actions={isFiltered && <Act looks="danger" does={async () => cut(filter, 'that the filter shows')}>Cut all shown …</Act>}>
      <FilterForm key={place.value.query.toString()} filter={filter} />
      <Shown of={sessions}>
        {({ sessions: all, silent }) => (
          <>
            {silent.map(({ node, reason }) => <Trouble key={node} text={`${node} does not answer (${reason}): its sessions are not among these.`} />)}
            <Card title={countText(all.length, 'session')}>
              {all.length === 0
                ? <Empty icon="sessions">{isFiltered ? 'No session fits. Sessions of mail programs and WebMail that do would be here.' : 'Nobody is connected. Sessions of mail programs and WebMail would be here.'}</Empty>
                : <Table caption="Live sessions" columns={columnsWith(cut)} rows={all} keyOf={({ frontend, session }) => `${frontend} ${session}`} />}
            </Card>
          </>
        )}
      </Shown>
    </Screen>
  );
}

function FilterForm({ filter }: { readonly filter: Filter }) {
  const backends = nodesOf(useNodes(), 'backend');
  return (
    <form class="filter" role="search" aria-label="Sessions" onSubmit={(event) => {
      event.preventDefault();
      const fields = new FormData(event.currentTarget);
      const text = (name: string): string => String(fields.get(name) ?? '').trim();
      goTo(hrefOf(['sessions'], { account: text('account'), address: text('address'), backend: text('backend') }), 'replace');
    }}>
      <label class="field"><span>Account</span><input name="account" type="search" inputMode="email" autocapitalize="none" spellcheck={false} defaultValue={filter.account ?? ''} placeholder="alice@example.com" pattern="[^@ ]+@[^@ ]+" title="A whole mail address" /></label>
      <label class="field"><span>Client address or network</span><input name="address" type="search" autocapitalize="none" spellcheck={false} defaultValue={filter.address ?? ''} placeholder="192.0.2.0/24" /></label>
      {/* Made anew when the nodes are known: an option that comes later would not be chosen. */}
      <label class="field"><span>Back-end</span>
        <select key={backends.length} name="backend">
          <option value="">All</option>
          {backends.map(({ name }) => <option key={name} value={name} selected={name === filter.backend}>{name}</option>)}
        </select>
      </label>
      <button class="button" type="submit">Show</button>
    </form>
  );
}

function columnsWith(cut: (what: Filter, named: string) => Promise<void>): readonly Column<LiveSession>[] {
  return [
    { title: 'Account', kind: 'name', cell: ({ account }) => (account === undefined ? <span class="soft">not signed in yet</span> : may('manageAccounts') ? <a href={hrefOf(['accounts', account])}>{account}</a> : account) },
    { title: 'Service', cell: ({ service }) => service },
    { title: 'Client', cell: ({ client }) => client },
    { title: 'Front-end', cell: ({ frontend }) => frontend },
    { title: 'Back-end', cell: ({ nodes }) => nodes.join(', ') },
    { title: 'Since', cell: ({ since }) => <time dateTime={since} title={exactTime(since)}>{distance(since)}</time> },
    { title: 'Session', kind: 'long', cell: ({ session }) => (may('manageLog') ? <a class="mono" href={hrefOf(['trace'], { what: session })}>{session}</a> : <code>{session}</code>) },
    {
      title: 'Acts', kind: 'acts',
      cell: ({ account, client }) => (account === undefined
        ? <Act looks="small" label={`Cut the sessions of ${client}`} does={async () => cut({ address: client }, `from ${client}`)}>Cut …</Act>
        : <Act looks="small" label={`Cut the sessions of ${account}`} does={async () => cut({ account }, `of ${account}`)}>Cut …</Act>),
    },
  ];
}

/** Answers whether it was done. The filter is what counts: a session that came meanwhile is cut, too. */
export async function cutSessions(what: Filter, named: string): Promise<boolean> {
  const reply = await ask({
    title: `Cut all sessions ${named}?`, verb: 'Cut sessions', danger: 'yes',
    text: (
      <>
        <p>All connections {named} end at once, at every front-end{what.account === undefined ? '' : ', and WebMail signs the user out'}. A message that is just being sent may have to be sent again.</p>
        <p>Mail programs come back by themselves. To keep somebody out, change the password or disable the account first.</p>
      </>
    ),
  });
  if (reply.kind === 'no') return false;
  const { sessions, silent } = await change<SessionsView>('/sessions/kick', { method: 'POST', body: Object.fromEntries(Object.entries(what).filter(([, value]) => value !== undefined)) });
  showNote(`${countText(sessions.length, 'session')} cut${silent.length === 0 ? '.' : `; ${silent.map(({ node }) => node).join(', ')} did not answer.`}`);
  return true;
}
