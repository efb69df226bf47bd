/** One account: what the directory, the front-ends and every back-end say of it; password, sessions, and the way to another back-end. */
import { sizeText } from '../../../../../shared/page/dates.ts';
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf } from '../api.ts';
import { distance, exactTime, numberText } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Badge, Card, Facts, Screen, Shown } from '../parts/screen.tsx';
import type { Tone } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { hrefOf } from '../route.ts';
import { may } from '../session.ts';
import type { AccountView, ListedAccount, RecordView, RouteView } from '../views.ts';
import { AccountLife } from './account-life.tsx';
import { Move } from './move.tsx';
import { PasswordForm } from './password-form.tsx';
import { cutSessions } from './sessions.tsx';

export function AccountScreen({ address }: { readonly address: string }) {
  const account = useResource<AccountView>(pathOf('accounts', address));
  return (
    <Screen title={address} above={<a href={hrefOf(['accounts'])}>Accounts</a>} actions={may('manageSessions') && <SessionActs address={address} />}>
      <Shown of={account}>
        {(view) => (
          <>
            {keptAt(view).map((kept) => <AccountLife key={`${kept.node} ${String(kept.withdrawn === undefined)}`} account={kept} reload={account.reload} />)}
            <Card title="Who it is"><div class="panel-body"><Facts of={factsOf(view)} /></div></Card>
            <Card title="What back-ends have">
              <Table caption={`What back-ends have of ${address}`} columns={columns} rows={Object.entries(view.records)} keyOf={([node]) => node} />
            </Card>
            {may('manageUserMap') && <RouteCard address={address} />}
            {may('manageCluster') && <Move account={view} reload={account.reload} />}
            {view.passwordAt !== 'nowhere' && <PasswordForm address={address} at={view.passwordAt} />}
          </>
        )}
      </Shown>
    </Screen>
  );
}

/** What back-ends keep of it, in use or not; of more than one, something went wrong. */
function keptAt({ records }: AccountView): readonly ListedAccount[] {
  return Object.entries(records).flatMap(([node, { account }]) => (account === undefined ? [] : [{ ...account, node }]));
}

function SessionActs({ address }: { readonly address: string }) {
  const signOut = async (): Promise<void> => {
    const reply = await ask({ title: `Sign ${address} out of WebMail?`, verb: 'Sign out', text: <p>Every browser that is signed in to WebMail as {address} has to sign in again. Mail programs go on.</p> });
    if (reply.kind === 'no') return;
    await change(`${pathOf('accounts', address)}/sign-out`, { method: 'POST' });
    showNote('Signed out of WebMail everywhere.');
  };
  return (
    <>
      <a class="button" href={hrefOf(['sessions'], { account: address })}>Sessions</a>
      {may('manageLog') && <a class="button" href={hrefOf(['trace'], { what: address })}>Trace</a>}
      <Act does={async () => cutSessions({ account: address }, `of ${address}`)}>Cut sessions …</Act>
      <Act does={signOut}>Sign out of WebMail …</Act>
    </>
  );
}

const passwordPlaces: Readonly<Record<AccountView['passwordAt'], string>> = { directory: 'in the directory', 'back-end': 'at its back-end', nowhere: 'nowhere: nobody can sign in' };

function factsOf({ address, directory, passwordAt }: AccountView): Parameters<typeof Facts>[0]['of'] {
  return [
    ['Address', address], ['Password', passwordPlaces[passwordAt]],
    ['Directory', directory === undefined ? 'has no such entry' : directory.dn ?? `a local account, by ${directory.map}`],
    ['User map', directory?.map], ['Its mail belongs to', directory?.node ?? directory?.mailHost],
  ];
}

const tones: Readonly<Record<RecordView['at'], Tone>> = { live: 'good', moved: 'plain', arriving: 'warn', withdrawn: 'warn', away: 'bad', none: 'plain', silent: 'bad' };
const names: Readonly<Record<RecordView['at'], string>> = { live: 'mailbox lives here', moved: 'moved away', arriving: 'is being moved here', withdrawn: 'withdrawn', away: 'in a storage that is taken out', none: 'nothing', silent: 'does not answer' };

const columns: readonly Column<[string, RecordView]>[] = [
  { title: 'Back-end', kind: 'name', cell: ([node]) => node },
  { title: 'State', cell: ([, record]) => <><Badge tone={tones[record.at]}>{names[record.at]}</Badge>{record.why !== undefined && <span class="soft small"> {record.why}</span>}</> },
  { title: 'Messages', kind: 'number', cell: ([, { messages }]) => (messages === undefined ? '' : numberText(messages)) },
  { title: 'Size', kind: 'number', cell: ([, { bytes }]) => (bytes === undefined ? '' : sizeText(bytes)) },
  { title: 'Since', cell: ([, { atMs }]) => (atMs === undefined ? '' : <span title={exactTime(atMs)}>{distance(atMs)}</span>) },
];

function RouteCard({ address }: { readonly address: string }) {
  const route = useResource<RouteView>(pathOf('map', address));
  const forget = async (): Promise<void> => {
    const { frontends, silent } = await change<{ readonly frontends: readonly string[]; readonly silent: readonly { readonly node: string }[] }>(`${pathOf('map', address)}/forget`, { method: 'POST' });
    showNote(`${frontends.join(', ')} will ask the directory again.${silent.length === 0 ? '' : ` ${silent.map(({ node }) => node).join(', ')} did not answer.`}`);
    await route.reload();
  };
  return (
    <Card title="Where front-ends send it" actions={<Act looks="small" does={forget}>Ask the directory anew</Act>}>
      <Shown of={route}>
        {(view) => <div class="panel-body"><Facts of={routeFacts(view)} /></div>}
      </Shown>
    </Card>
  );
}

const routeNames: Readonly<Record<string, string>> = { kind: 'Answer', address: 'Address', node: 'Back-end', map: 'User map', dn: 'Entry', source: 'Known from', route: 'Route', aged: 'Known since', from: 'Known from' };

/** What a front-end says is told as it says it: names and values. */
function routeFacts(view: RouteView): Parameters<typeof Facts>[0]['of'] {
  return Object.entries(view).map(([name, value]) => [routeNames[name] ?? name, typeof value === 'object' && value !== null ? Object.values(value).join(', ') : String(value)]);
}
