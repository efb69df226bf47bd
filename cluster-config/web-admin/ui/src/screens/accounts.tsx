/** Accounts: found in the directory and at back-ends; `#/accounts/alice@example.com` is one of them. */
import { queryOf } from '../api.ts';
import { countText, numberText } from '../format.ts';
import { nodesOf, useNodes } from '../nodes.ts';
import { More, usePages } from '../parts/pager.tsx';
import { QuotaBar } from '../parts/quota.tsx';
import { Badge, Card, Empty, Screen, Shown } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { goTo, hrefOf, place } from '../route.ts';
import { may } from '../session.ts';
import type { AccountsView, DirectoryEntry, DirectoryView, ListedAccount } from '../views.ts';
import { AccountState } from './account-state.tsx';
import { AccountScreen } from './account.tsx';
import { addAccount } from './new-account.tsx';

export function Accounts() {
  const [address] = place.value.parts;
  return address === undefined ? <List /> : <AccountScreen address={address} />;
}

/** `at`: a back-end whose own accounts are shown, those of `all`, or the `withdrawn` ones; else the directory. */
function List() {
  const { query } = place.value;
  const search = query.get('search') ?? '';
  const at = query.get('at') ?? (may('manageUserMap') ? '' : undefined);
  const backends = nodesOf(useNodes(), 'backend').map(({ name }) => name);
  const from = at ?? 'all';
  return (
    <Screen title="Accounts" lead="Users of the directory, and the mailboxes that back-ends keep."
      actions={may('manageAccounts') && backends.length > 0 && <button class="button button-primary" type="button" onClick={() => void addAccount(backends)}>New local account …</button>}>
      <form key={query.toString()} class="filter" role="search" aria-label="Accounts" onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        goTo(hrefOf(['accounts'], { search: String(fields.get('search') ?? '').trim(), at: String(fields.get('at') ?? '') }), 'replace');
      }}>
        <label class="field"><span>An address has</span><input name="search" type="search" autocapitalize="none" spellcheck={false} defaultValue={search} placeholder="alice" /></label>
        <label class="field"><span>Where</span>
          <select key={backends.length} name="at">
            {may('manageUserMap') && <option value="">Directory</option>}
            {may('manageAccounts') && <option value="all" selected={from === 'all'}>All mailboxes</option>}
            {may('manageAccounts') && <option value="withdrawn" selected={from === 'withdrawn'}>Deleted ones</option>}
            {may('manageAccounts') && backends.map((name) => <option key={name} value={name} selected={name === from}>Mailboxes at {name}</option>)}
          </select>
        </label>
        <button class="button" type="submit">Search</button>
      </form>
      {from === '' ? <FromDirectory search={search} /> : <FromNodes key={from} from={from} search={search} />}
    </Screen>
  );
}

function FromDirectory({ search }: { readonly search: string }) {
  const pages = usePages<DirectoryView>(`/directory${queryOf({ search })}`);
  return (
    <>
      <Shown of={pages.first}>
        {({ entries, total }) => (
          <Card title={`${countText(total, 'entry', 'entries')} of the directory`}>
            {total === 0
              ? <Empty icon="people">{search === '' ? 'The directory has no entry with an address. Users would be here.' : `No address has “${search}”.`}</Empty>
              : <Table caption="Entries of the directory" columns={directoryColumns} rows={[...entries, ...pages.rest.flatMap((page) => page.entries)]} keyOf={({ dn }) => dn} />}
          </Card>
        )}
      </Shown>
      <More of={pages} />
    </>
  );
}

const directoryColumns: readonly Column<DirectoryEntry>[] = [
  { title: 'Address', kind: 'name', cell: ({ address }) => (may('manageAccounts') ? <a href={hrefOf(['accounts', address])}>{address}</a> : address) },
  { title: 'Also', kind: 'long', cell: ({ addresses }) => addresses.slice(1).join(', ') },
  { title: 'Kind', cell: ({ kind }) => kind },
  { title: 'Mailbox at', cell: ({ node, mailHost, kind }) => node ?? mailHost ?? (kind === 'mailbox' ? <Badge tone="warn">nowhere yet</Badge> : '') },
  { title: 'Entry', kind: 'long', cell: ({ dn }) => <span class="soft small">{dn}</span> },
];

/** `all` back-ends, those that are out of use (`withdrawn`), or one back-end. */
function FromNodes({ from, search }: { readonly from: string; readonly search: string }) {
  const filter = from === 'all' ? {} : from === 'withdrawn' ? { state: 'withdrawn' } : { node: from };
  const pages = usePages<AccountsView>(`/accounts${queryOf({ search, ...filter })}`);
  const where = from === 'all' ? 'at back-ends' : from === 'withdrawn' ? 'out of use' : `at ${from}`;
  return (
    <>
      <Shown of={pages.first}>
        {({ accounts, total, silent }) => (
          <Card title={`${countText(total, 'mailbox', 'mailboxes')} ${where}`}>
            {silent.length > 0 && <p class="notice notice-error" role="alert">{silent.map(({ node }) => node).join(', ')} did not answer: mailboxes there are not among these.</p>}
            {total === 0
              ? <Empty icon="people">{search === '' ? 'There is no mailbox: they are made when mail comes or the user signs in.' : `No mailbox ${where} has “${search}” in its address.`}</Empty>
              : <Table caption={`Mailboxes ${where}`} columns={columns} rows={[...accounts, ...pages.rest.flatMap((page) => page.accounts)]} keyOf={({ address, node }) => `${address} ${node}`} />}
          </Card>
        )}
      </Shown>
      <More of={pages} />
    </>
  );
}

const columns: readonly Column<ListedAccount>[] = [
  { title: 'Address', kind: 'name', cell: ({ address }) => <a href={hrefOf(['accounts', address])}>{address}</a> },
  { title: 'State', cell: (account) => <AccountState {...account} /> },
  { title: 'Back-end', cell: ({ node }) => node },
  { title: 'Password', cell: ({ passwordHere }) => (passwordHere ? 'here: a local account' : 'in the directory') },
  { title: 'Messages', kind: 'number', cell: ({ messages }) => numberText(messages) },
  { title: 'Mail', cell: (account) => <QuotaBar {...account} /> },
];
