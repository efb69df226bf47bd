/** Mailing groups: those that back-ends keep are listed, any is shown by its address; members are added and taken out. */
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf } from '../api.ts';
import { countText, numberText } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Card, Empty, Facts, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { askTyped } from '../parts/typed-ask.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import type { GroupsView, GroupView } from '../views.ts';

type Listed = GroupsView['groups'][number];

export function Groups() {
  const [address] = place.value.parts;
  return address === undefined ? <List /> : <Group address={address} />;
}

function List() {
  const groups = useResource<GroupsView>('/groups');
  const add = async (): Promise<void> => {
    const reply = await ask({ title: 'Make a mailing group', verb: 'Make it', text: <p>Mail for its address goes to each member once. In a domain that a directory has it becomes an entry there, which needs a first member.</p>, field: { label: 'Address, then members, with blanks between', value: '', hint: 'team@example.com ann@example.com ben@example.com' } });
    if (reply.kind === 'no') return;
    const [address = '', ...members] = reply.text.trim().split(/[\s,]+/);
    await change('/groups', { method: 'POST', body: { address, members } });
    showNote(`${address} is a group.`);
    goTo(hrefOf(['groups', address.toLowerCase()]));
  };
  return (
    <Screen title="Groups" lead="Mail for a group goes to each of its members." actions={<Act looks="primary" does={add}>New group …</Act>}>
      <form class="filter" role="search" aria-label="Groups" onSubmit={(event) => {
        event.preventDefault();
        const address = String(new FormData(event.currentTarget).get('address') ?? '').trim();
        if (address !== '') goTo(hrefOf(['groups', address.toLowerCase()]));
      }}>
        <label class="field"><span>Group of a directory</span><input name="address" type="search" inputMode="email" autocapitalize="none" spellcheck={false} placeholder="team@example.com" /></label>
        <button class="button" type="submit">Show</button>
      </form>
      <Shown of={groups}>
        {({ groups: all, silent }) => (
          <Card title={`${countText(all.length, 'group')} at back-ends`}>
            {silent.length > 0 && <p class="notice notice-error" role="alert">{silent.map(({ node }) => node).join(', ')} did not answer: groups there are not among these.</p>}
            {all.length === 0 ? <Empty icon="people">No back-end keeps a group. Groups of domains that no directory has would be here.</Empty> : <Table caption="Groups" columns={columns} rows={all} keyOf={(group) => group.address} />}
          </Card>
        )}
      </Shown>
    </Screen>
  );
}

const columns: readonly Column<Listed>[] = [
  { title: 'Group', kind: 'name', cell: ({ address }) => <a href={hrefOf(['groups', address])}>{address}</a> },
  { title: 'Kept at', cell: ({ node }) => node },
  { title: 'Members', kind: 'number', cell: ({ members }) => numberText(members.length) },
];

function Group({ address }: { readonly address: string }) {
  const group = useResource<GroupView>(pathOf('groups', address));
  const add = async (): Promise<void> => {
    const reply = await ask({ title: `Add a member to ${address}`, verb: 'Add', text: <p>Ours or others’ address; also another group.</p>, field: { label: 'Address', value: '' } });
    if (reply.kind === 'no') return;
    await change(`${pathOf('groups', address)}/members`, { method: 'POST', body: { member: reply.text.trim() } });
    await group.reload();
  };
  const remove = async (): Promise<void> => {
    const reply = await askTyped({ title: `Delete the group ${address}?`, verb: 'Delete it', name: address, text: <p>Mail for it is refused. Its members are not touched.</p> });
    if (reply === 'no') return;
    await change(pathOf('groups', address), { method: 'DELETE' });
    showNote(`${address} is no group any more.`);
    goTo(hrefOf(['groups']));
  };
  return (
    <Screen title={address} above={<a href={hrefOf(['groups'])}>Groups</a>} actions={<Act looks="danger" does={remove}>Delete …</Act>}>
      <Shown of={group}>
        {(view) => (
          <>
            <Card title="Where it is"><div class="panel-body"><Facts of={[['Kept', view.at === 'directory' ? 'in the directory' : `at ${view.node ?? ''}`], ['Entry', view.dn]]} /></div></Card>
            <Card title={countText(view.members.length, 'member')} actions={<Act looks="small" does={add}>Add a member …</Act>}>
              {view.members.length === 0 ? <Empty icon="people">It has no member: mail for it is refused.</Empty> : <Table caption={`Members of ${address}`} columns={memberColumns(address, group.reload)} rows={view.members} keyOf={(member) => member} />}
            </Card>
          </>
        )}
      </Shown>
    </Screen>
  );
}

function memberColumns(address: string, reload: () => Promise<void>): readonly Column<string>[] {
  const take = async (member: string): Promise<void> => {
    const reply = await ask({ title: `Take ${member} out?`, verb: 'Take it out', danger: 'yes', text: <p>It gets no more mail for {address}.</p> });
    if (reply.kind === 'no') return;
    await change(pathOf('groups', address, 'members', member), { method: 'DELETE' });
    await reload();
  };
  return [
    { title: 'Member', kind: 'name', cell: (member) => member },
    { title: 'Acts', kind: 'acts', cell: (member) => <Act looks="small" label={`Take ${member} out`} does={async () => take(member)}>Take out …</Act> },
  ];
}
