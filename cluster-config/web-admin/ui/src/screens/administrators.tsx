/** Who administers this cluster: by the configuration, which is where it is changed, and who is signed in now. */
import type { z } from 'zod';
import { showNote } from '../../../../../shared/page/toasts.tsx';
import type { administratorOperations } from '../../../../admin/contract/administrators.ts';
import { change } from '../api.ts';
import { countText, distance, exactTime } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Badge, Card, Empty, Screen, Shown, Trouble } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { hrefOf } from '../route.ts';

type AdministratorsView = z.output<typeof administratorOperations.listAdministrators.answer>;
type Administrator = AdministratorsView['administrators'][number];
type SignInsView = z.output<typeof administratorOperations.listSignIns.answer>;
type SignIn = SignInsView['signIns'][number];

export function Administrators() {
  return (
    <Screen title="Administrators" lead="They stand in the configuration, and are changed there. Passwords and secrets of authenticators are kept where it says, and shown nowhere.">
      <Configured />
      <SignedIn />
    </Screen>
  );
}

function Configured() {
  const listed = useResource<AdministratorsView>('/administrators');
  return (
    <Shown of={listed}>
      {({ administrators, groups, certificates, node }) => (
        <>
          <Card title="In the configuration">
            {administrators.length === 0
              ? <Empty icon="people">The configuration names no administrator: only nodes, and commands on their machines, may ask.</Empty>
              : <Table caption="Administrators" columns={columnsWith(node)} rows={administrators} keyOf={({ name }) => name} />}
            <p class="panel-foot">Client certificates are taken of {certificates.includes('further') ? 'the cluster’s authority (OU=administrator) and of that under administration.certificateAuthority' : 'the cluster’s authority (OU=administrator)'}, with the name as CN.</p>
          </Card>
          {groups.length > 0 && <Card title="Groups"><Table caption="Groups of administrators" columns={groupColumns} rows={groups} keyOf={({ name }) => name} /></Card>}
        </>
      )}
    </Shown>
  );
}

function columnsWith(node: string): readonly Column<Administrator>[] {
  return [
    { title: 'Name', kind: 'name', cell: ({ name }) => name },
    { title: 'Signs in by', cell: ({ password, totp }) => <span class="badges">{password ? <Badge tone="plain">password</Badge> : null}{totp ? <Badge tone="good">authenticator</Badge> : null}{password ? null : <Badge tone="plain">certificate only</Badge>}</span> },
    { title: 'Groups', kind: 'long', cell: ({ groups }) => groups.join(', ') },
    { title: 'Domains', kind: 'long', cell: ({ domains }) => (domains.length === 0 ? 'all' : domains.join(', ')) },
    {
      title: 'May', kind: 'long', cell: ({ capabilities }) => (capabilities.length === 0 ? 'nothing' : (
        <details><summary>{countText(capabilities.length, 'permission')}</summary>{capabilities.join(', ')}</details>
      )),
    },
    { title: 'Acts', kind: 'acts', cell: ({ name, path }) => <a class="button button-small" aria-label={`In the text: ${name}`} href={hrefOf(['configuration'], { node, at: path })}>In the text</a> },
  ];
}

const groupColumns: readonly Column<AdministratorsView['groups'][number]>[] = [
  { title: 'Group', kind: 'name', cell: ({ name }) => name },
  { title: 'Gives', kind: 'long', cell: ({ allow }) => allow.join(', ') },
  { title: 'Takes away', kind: 'long', cell: ({ deny }) => deny.join(', ') },
];

function SignedIn() {
  const listed = useResource<SignInsView>('/administrators/sign-ins', { everyMs: 5000 });
  return (
    <Card title="Signed in">
      <Shown of={listed}>
        {({ signIns, silent }) => (
          <>
            {silent.map(({ node }) => <Trouble key={node} text={`${node} does not answer. Who was seen only there is not among these.`} />)}
            <Table caption="Sign-ins" columns={signInColumns(listed.reload)} rows={signIns} keyOf={({ session }) => session} />
            <p class="panel-foot">As the nodes have seen them since they were started. Certificates, and passwords that come with each request, are no sign-ins.</p>
          </>
        )}
      </Shown>
    </Card>
  );
}

function signInColumns(reload: () => Promise<void>): readonly Column<SignIn>[] {
  return [
    { title: 'Who', kind: 'name', cell: ({ name, own }) => <>{name}{own && <> <Badge tone="good">this page</Badge></>}</> },
    { title: 'With', cell: ({ kind }) => kind },
    { title: 'From', kind: 'long', cell: ({ from }) => from },
    { title: 'Since', cell: ({ since }) => <time dateTime={since} title={exactTime(since)}>{distance(since)}</time> },
    { title: 'Last seen', cell: ({ last, nodes }) => <><time dateTime={last} title={exactTime(last)}>{distance(last)}</time> at {nodes.join(', ')}</> },
    { title: 'Acts', kind: 'acts', cell: (signIn) => <Act looks="small" label={`End the sign-in of ${signIn.name} from ${signIn.from}, ${signIn.kind}`} does={async () => end(signIn, reload)}>End …</Act> },
  ];
}

async function end({ session, name, own }: SignIn, reload: () => Promise<void>): Promise<void> {
  const reply = await ask({
    title: `End this sign-in of ${name}?`, verb: 'End it', danger: 'yes',
    text: <p>{own ? 'It is your own: this page signs out. ' : ''}Who has the password can sign in again. A node that does not answer now takes it until it would have ended by itself.</p>,
  });
  if (reply.kind === 'no') return;
  await change('/administrators/sign-ins/end', { method: 'POST', body: { session } });
  showNote(`The sign-in of ${name} is over.`);
  await reload();
}
