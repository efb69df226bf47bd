/** What is done to an account: disabled, renamed, deleted and brought back; its limits. Each act says what will happen. */
import { useSignal } from '@preact/signals';
import { errorText } from '../../../../../shared/page/error-text.ts';
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf, queryOf } from '../api.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { QuotaBar } from '../parts/quota.tsx';
import { Card, Facts } from '../parts/screen.tsx';
import { askTyped, tellOnce } from '../parts/typed-ask.tsx';
import { goTo, hrefOf } from '../route.ts';
import type { ActDone, ListedAccount } from '../views.ts';
import { AccountState } from './account-state.tsx';

interface LifeProps {
  readonly account: ListedAccount;
  /** What is said of the account has changed. */
  readonly reload: () => Promise<void>;
}

export function AccountLife({ account, reload }: LifeProps) {
  const { address, bytes, bytesLimit, messages, messagesLimit, services, aliases, node } = account;
  const byHand = useSignal<string | undefined>(undefined);
  const told = async (done: ActDone, note: string): Promise<void> => {
    byHand.value = done.ldif;
    showNote([done.ldif === undefined ? note : 'Not done yet: the directory is to be changed by hand.', ...done.notes, ...(done.silent.length === 0 ? [] : [`${done.silent.map((one) => one.node).join(', ')} did not hear of it.`])].join(' '));
    await reload();
  };
  return (
    <Card title="Life of the account">
      <div class="panel-body">
        <Facts of={[
          ['State', <AccountState {...account} />], ['May be used for', services === undefined ? 'everything' : services.join(', ')], ['Kept at', node], ['Also', aliases.join(', ')],
          ['Mail', <QuotaBar bytes={bytes} bytesLimit={bytesLimit} />], ['Messages', messagesLimit === 0 ? String(messages) : `${String(messages)} of ${String(messagesLimit)}`],
        ]} />
        {byHand.value !== undefined && <pre tabIndex={0} aria-label="Change of the directory">{byHand.value}</pre>}
        <div class="acts-row">{account.withdrawn === undefined ? <ActsInUse account={account} told={told} /> : <ActsOutOfUse address={address} told={told} />}</div>
      </div>
      {account.withdrawn === undefined && <QuotaForm account={account} told={told} />}
    </Card>
  );
}

type Told = (done: ActDone, note: string) => Promise<void>;

function ActsInUse({ account: { address, status, passwordHere }, told }: { readonly account: ListedAccount; readonly told: Told }) {
  const terms = async (wanted: 'active' | 'noaccess', note: string): Promise<void> => told(await change<ActDone>(`${pathOf('accounts', address)}/terms`, { method: 'POST', body: { status: wanted } }), note);
  const disable = async (): Promise<void> => {
    const reply = await ask({ title: `Disable ${address}?`, verb: 'Disable it', danger: 'yes', text: <p>Sessions end now, and nobody signs in. It goes on getting mail. It can be enabled again at any time.</p> });
    if (reply.kind === 'yes') await terms('noaccess', `${address} is disabled.`);
  };
  const rename = async (): Promise<void> => {
    const reply = await ask({ title: `Rename ${address}?`, verb: 'Rename', text: <p>The mailbox stays as it is; sessions end, and mail programs need the new address. Mail for the old address is refused unless it stays an alias.</p>, field: { label: 'New address', value: address } });
    if (reply.kind === 'no') return;
    const to = reply.text.trim().toLowerCase();
    await told(await change<ActDone>(`${pathOf('accounts', address)}/rename`, { method: 'POST', body: { to } }), `${address} is ${to} now.`);
    goTo(hrefOf(['accounts', to]));
  };
  const remove = async (): Promise<void> => {
    const reply = await askTyped({ title: `Delete ${address}?`, verb: 'Delete it', name: address, text: <p>Mail for it is refused, and nobody signs in. Its mail is kept for a while: until then it can be brought back whole.</p> });
    if (reply === 'yes') await told(await change<ActDone>(pathOf('accounts', address), { method: 'DELETE' }), `${address} is deleted.`);
  };
  return (
    <>
      {status === 'active' ? <Act does={disable}>Disable …</Act> : <Act does={async () => terms('active', `${address} is enabled.`)}>Enable</Act>}
      <Act does={rename}>Rename …</Act>
      {passwordHere && <Act does={async () => newPassword(address)}>Make up a password …</Act>}
      <Act looks="danger" does={remove}>Delete …</Act>
    </>
  );
}

async function newPassword(address: string): Promise<void> {
  const reply = await ask({ title: `Make up a new password for ${address}?`, verb: 'Make one up', danger: 'yes', text: <p>The present one holds no more: WebMail is signed out, mail programs ask for the new one.</p> });
  if (reply.kind === 'no') return;
  const { password } = await change<{ readonly password?: string }>(`${pathOf('accounts', address)}/password`, { method: 'POST', body: {} });
  if (password !== undefined) await tellOnce(address, password);
}

function ActsOutOfUse({ address, told }: { readonly address: string; readonly told: Told }) {
  const purge = async (): Promise<void> => {
    const reply = await askTyped({ title: `Remove ${address} for good?`, verb: 'Remove it for good', name: address, text: <p>All of its mail is gone at once. This can’t be taken back.</p> });
    if (reply === 'no') return;
    await change<ActDone>(`${pathOf('accounts', address)}${queryOf({ purge: 'yes' })}`, { method: 'DELETE' });
    showNote(`${address} is removed for good.`);
    goTo(hrefOf(['accounts']));
  };
  return (
    <>
      <Act looks="primary" does={async () => told(await change<ActDone>(`${pathOf('accounts', address)}/undelete`, { method: 'POST' }), `${address} is back.`)}>Bring it back</Act>
      <Act looks="danger" does={purge}>Remove for good …</Act>
    </>
  );
}

function QuotaForm({ account: { address, ownQuota }, told }: { readonly account: ListedAccount; readonly told: Told }) {
  const problem = useSignal('');
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    const limit = (name: string): object => (fields.get(name) === '' ? {} : { [name]: Number(fields.get(name)) });
    try {
      await told(await change<ActDone>(`${pathOf('accounts', address)}/quota`, { method: 'PUT', body: { ...limit('maxKilobytes'), ...limit('maxMessages') } }), 'The limits hold.');
      problem.value = '';
    } catch (error) {
      problem.value = errorText(error);
    }
  };
  return (
    <form class="panel-body form" aria-label="Quota" onSubmit={(event) => {
      event.preventDefault();
      void submit(event.currentTarget);
    }}>
      <label class="field"><span>Most kilobytes</span><input name="maxKilobytes" type="number" min={0} step={1} defaultValue={ownQuota.maxKilobytes === undefined ? '' : String(ownQuota.maxKilobytes)} placeholder="as its domain" /></label>
      <label class="field"><span>Most messages</span><input name="maxMessages" type="number" min={0} step={1} defaultValue={ownQuota.maxMessages === undefined ? '' : String(ownQuota.maxMessages)} placeholder="as its domain" /></label>
      <button class="button" type="submit">Set the quota</button>
      {problem.value !== '' && <p class="notice notice-error" role="alert">{problem.value}</p>}
    </form>
  );
}
