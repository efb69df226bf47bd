/** Who has had access: what administrators did to the account, in the settings. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AccountActSort } from '../../../../shared/admin-api/act-sorts.ts';
import { mediumDate } from '../../../../shared/page/dates.ts';
import { errorText } from '../../../../shared/page/error-text.ts';
import type { AccessesView, AccessView } from '../../api.ts';
import { get } from './api.ts';

const words: Readonly<Record<AccountActSort, string>> = {
  made: 'made this account',
  password: 'set a new password',
  'signed-out': 'ended your sessions',
  moved: 'began to move your mailbox to another server',
  terms: 'changed what this account may be used for',
  deleted: 'took this account out of use',
  undeleted: 'brought this account back',
  renamed: 'gave this account another address',
  addresses: 'changed the further addresses',
  traced: 'had what your mail programs say written down, or ended that',
};

/** Further ones are shown when asked for. */
const shownFirst = 5;

type State = { readonly at: 'loading' } | { readonly at: 'failed'; readonly text: string } | { readonly at: 'there'; readonly acts: readonly AccessView[]; readonly shown: 'first' | 'all' };

export function Accesses() {
  const state = useSignal<State>({ at: 'loading' });
  useEffect(() => {
    get<AccessesView>('/api/accesses', 'background').then(
      ({ acts }) => { state.value = { at: 'there', acts, shown: 'first' }; },
      (error: unknown) => { state.value = { at: 'failed', text: errorText(error) }; },
    );
  }, []);
  return (
    <section class="settings-part" aria-labelledby="accesses-title">
      <h3 id="accesses-title">Who has had access</h3>
      <p class="settings-text">What administrators did to your account. Nobody can strike anything from this list.</p>
      {state.value.at === 'loading' && <p class="settings-text" role="status">Loading …</p>}
      {state.value.at === 'failed' && <p class="notice notice-error" role="alert">{state.value.text}</p>}
      {state.value.at === 'there' && <List acts={state.value.acts} shown={state.value.shown} onMore={(acts) => { state.value = { at: 'there', acts, shown: 'all' }; }} />}
    </section>
  );
}

function List({ acts, shown, onMore }: { readonly acts: readonly AccessView[]; readonly shown: 'first' | 'all'; readonly onMore: (acts: readonly AccessView[]) => void }) {
  if (acts.length === 0) return <p class="settings-text accesses-none">No administrator has done anything to your account.</p>;
  const listed = shown === 'all' ? acts : acts.slice(0, shownFirst);
  return (
    <>
      <ol class="accesses">
        {listed.map((act) => (
          <li key={`${act.time} ${act.sort}`}>
            <span><b>{act.who}</b> {words[act.sort]}</span>
            <small><time dateTime={act.time}>{mediumDate(Date.parse(act.time))}</time> · from {act.from}</small>
          </li>
        ))}
      </ol>
      {listed.length < acts.length && <button class="button" type="button" onClick={() => onMore(acts)}>Show all {acts.length}</button>}
    </>
  );
}
