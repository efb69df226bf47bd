/** One domain: what holds for its accounts; disabled, renamed, deleted and brought back. */
import { useSignal } from '@preact/signals';
import { errorText } from '../../../../../shared/page/error-text.ts';
import { sizeText } from '../../../../../shared/page/dates.ts';
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf, queryOf } from '../api.ts';
import { countText, numberText } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Badge, Card, Facts, Screen, Shown } from '../parts/screen.tsx';
import { askTyped } from '../parts/typed-ask.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf } from '../route.ts';
import { session } from '../session.ts';
import type { DomainDetail, DomainProgress, DomainView } from '../views.ts';

/** A changed configuration is taken up by nodes within some seconds. */
const lookMs = 3000;

export function DomainScreen({ name }: { readonly name: string }) {
  const domain = useResource<DomainDetail>(pathOf('domains', name), { everyMs: lookMs });
  return (
    <Screen title={name} above={<a href={hrefOf(['domains'])}>Domains</a>} actions={<a class="button" href={hrefOf(['accounts'], { search: `@${name}`, at: 'all' })}>Its accounts</a>}>
      <Shown of={domain}>
        {(view) => (
          <>
            <Card title="What it is">
              <div class="panel-body">
                <Facts of={factsOf(view)} />
                <Life view={view} reload={domain.reload} />
              </div>
            </Card>
            {view.kind !== 'alias' && view.status !== 'deleted' && <Settings key={JSON.stringify([view.catchAll, view.postmaster, view.quota, view.storages])} view={view} />}
          </>
        )}
      </Shown>
    </Screen>
  );
}

export function DomainState({ status }: Pick<DomainView, 'status'>) {
  const names: Readonly<Record<DomainView['status'], string>> = { active: 'in use', noaccess: 'disabled', disabled: 'disabled, takes no mail', deleted: 'deleted' };
  return <Badge tone={status === 'active' ? 'good' : status === 'deleted' ? 'bad' : 'warn'}>{names[status]}</Badge>;
}

function factsOf({ kind, of, status, services, maps, accounts: { inUse, outOfUse, bytes, silent } }: DomainDetail): Parameters<typeof Facts>[0]['of'] {
  return [
    ['State', <DomainState status={status} />], ['Kind', of === undefined ? kind : `stands for ${of}`], ['May be used for', services.join(', ')],
    ['Who its users are', maps.length === 0 ? 'local accounts of back-ends' : `user map ${maps.join(', ')}`],
    ['Accounts', `${countText(inUse, 'account')} in use, ${numberText(outOfUse)} out of use${silent.length === 0 ? '' : `; ${silent.join(', ')} did not answer`}`], ['Mail', sizeText(bytes)],
  ];
}

interface LifeProps {
  readonly view: DomainDetail;
  readonly reload: () => Promise<void>;
}

/** Who administers single domains has them as they are: only the whole cluster's administrators make them and take them away. */
function isOfWholeCluster(): boolean {
  return session.value.at === 'signed-in' && session.value.who.domains.length === 0;
}

function Life({ view: { name, kind, status }, reload }: LifeProps) {
  const progress = useSignal<string | undefined>(undefined);
  const set = async (wanted: 'active' | 'noaccess'): Promise<void> => {
    await change(`${pathOf('domains', name)}/settings`, { method: 'POST', body: { status: wanted } });
    showNote(`${name} is ${wanted === 'active' ? 'enabled' : 'disabled'}; nodes take it up within some seconds.`);
    await reload();
  };
  const disable = async (): Promise<void> => {
    const reply = await ask({ title: `Disable ${name}?`, verb: 'Disable it', danger: 'yes', text: <p>Nobody of it signs in. Its accounts go on getting mail.</p> });
    if (reply.kind === 'yes') await set('noaccess');
  };
  const rename = async (): Promise<void> => {
    const reply = await ask({ title: `Rename ${name}?`, verb: 'Rename it', danger: 'yes', text: <p>Its accounts are renamed one after the other; their sessions end. The old name is refused as foreign afterwards.</p>, field: { label: 'New name', value: name } });
    if (reply.kind === 'no') return;
    const to = reply.text.trim().toLowerCase();
    if (await untilDone(() => change<DomainProgress>(`${pathOf('domains', name)}/rename`, { method: 'POST', body: { to } }), progress) === 'done') goTo(hrefOf(['domains', to]));
  };
  const remove = async (): Promise<void> => {
    const reply = await askTyped({ title: `Delete ${name}?`, verb: 'Delete it', name, text: <p>{kind === 'alias' ? 'Mail for this name is refused as foreign.' : 'Its mail is refused as foreign, and nobody of it signs in. Mailboxes are kept: it can be brought back whole.'}</p> });
    if (reply === 'no') return;
    await change(pathOf('domains', name), { method: 'DELETE' });
    showNote(`${name} is deleted.`);
    if (kind === 'alias') goTo(hrefOf(['domains']));
    else await reload();
  };
  const undelete = async (): Promise<void> => {
    await change(`${pathOf('domains', name)}/undelete`, { method: 'POST' });
    showNote(`${name} is back; nodes take it up within some seconds.`);
    await reload();
  };
  const purge = async (): Promise<void> => {
    const reply = await askTyped({ title: `Remove ${name} for good?`, verb: 'Remove it for good', name, text: <p>All of its accounts and all of their mail are gone. This can’t be taken back.</p> });
    if (reply === 'no') return;
    if (await untilDone(() => change<DomainProgress>(`${pathOf('domains', name)}${queryOf({ purge: 'yes' })}`, { method: 'DELETE' }), progress) === 'done') goTo(hrefOf(['domains']));
  };
  const isWhole = isOfWholeCluster();
  return (
    <>
      {progress.value !== undefined && <p role="status">{progress.value}</p>}
      <div class="acts-row">
        {kind !== 'alias' && status === 'active' && <Act does={disable}>Disable …</Act>}
        {kind !== 'alias' && (status === 'noaccess' || status === 'disabled') && <Act does={async () => set('active')}>Enable</Act>}
        {isWhole && kind === 'secondary' && status !== 'deleted' && <Act does={rename}>Rename …</Act>}
        {isWhole && kind !== 'primary' && status !== 'deleted' && <Act looks="danger" does={remove}>Delete …</Act>}
        {isWhole && kind !== 'alias' && status === 'deleted' && <Act looks="primary" does={undelete}>Bring it back</Act>}
        {isWhole && kind !== 'alias' && status === 'deleted' && <Act looks="danger" does={purge}>Remove for good …</Act>}
      </div>
    </>
  );
}

const againMs = 500;

/** Each answer is for some accounts. */
async function untilDone(step: () => Promise<DomainProgress>, progress: { value: string | undefined }): Promise<'done' | 'stopped'> {
  let done = 0;
  progress.value = 'Beginning …';
  try {
    for (;;) {
      const { state, accounts, left, failed } = await step();
      done += accounts;
      progress.value = state === 'stopped'
        ? `Stopped: ${failed.map(({ address, reason }) => `${address}: ${reason}`).join('; ')}`
        : `${countText(done, 'account')} done, ${numberText(left)} to go.`;
      if (state !== 'going-on') return state;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  } catch (error) {
    progress.value = undefined;
    throw error;
  }
}

function Settings({ view: { name, catchAll, postmaster, quota, storages } }: { readonly view: DomainDetail }) {
  const problem = useSignal('');
  const isWhole = isOfWholeCluster();
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    const text = (field: string): string | null => String(fields.get(field) ?? '').trim() || null;
    const limit = (field: string): object => (text(field) === null ? {} : { [field]: Number(text(field)) });
    const whole = isWhole ? { quota: { ...limit('maxKilobytes'), ...limit('maxMessages') }, storages: text('storages')?.split(/\s*,\s*/) ?? null } : {};
    try {
      await change(`${pathOf('domains', name)}/settings`, { method: 'POST', body: { catchAll: text('catchAll'), postmaster: text('postmaster'), ...whole } });
      problem.value = '';
      showNote('Saved; nodes take it up within some seconds.');
    } catch (error) {
      problem.value = errorText(error);
    }
  };
  return (
    <Card title="What holds for its accounts">
      <form class="panel-body form" onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}>
        {problem.value !== '' && <p class="notice notice-error" role="alert">{problem.value}</p>}
        <label class="field"><span>Catch-all: who gets mail for addresses that nobody has</span><input name="catchAll" type="text" inputMode="email" autocapitalize="none" spellcheck={false} defaultValue={catchAll ?? ''} placeholder="nobody" /></label>
        <label class="field"><span>Postmaster: who gets mail for postmaster@{name}</span><input name="postmaster" type="text" inputMode="email" autocapitalize="none" spellcheck={false} defaultValue={postmaster ?? ''} placeholder="who has that address" /></label>
        {isWhole && (
          <>
            <label class="field"><span>Most kilobytes of each account</span><input name="maxKilobytes" type="number" min={0} step={1} defaultValue={quota.maxKilobytes === undefined ? '' : String(quota.maxKilobytes)} placeholder="as the server says" /></label>
            <label class="field"><span>Most messages of each account</span><input name="maxMessages" type="number" min={0} step={1} defaultValue={quota.maxMessages === undefined ? '' : String(quota.maxMessages)} placeholder="as the server says" /></label>
            <label class="field"><span>Storages for new accounts, with commas</span><input name="storages" type="text" autocapitalize="none" spellcheck={false} defaultValue={storages?.join(', ') ?? ''} placeholder="all" /></label>
          </>
        )}
        <div><button class="button" type="submit">Save</button></div>
      </form>
    </Card>
  );
}
