/** Who has had access: what administrators did to the account, in the settings. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { mediumDate } from '../../../../shared/page/dates.ts';
import { errorText } from '../../../../shared/page/error-text.ts';
import type { AccessesView, AccessView } from '../../api.ts';
import { get } from './api.ts';
import { texts } from './texts.ts';

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
      <h3 id="accesses-title">{texts.value.accesses.title}</h3>
      <p class="settings-text">{texts.value.accesses.explanation}</p>
      {state.value.at === 'loading' && <p class="settings-text" role="status">{texts.value.loadingNow}</p>}
      {state.value.at === 'failed' && <p class="notice notice-error" role="alert">{state.value.text}</p>}
      {state.value.at === 'there' && <List acts={state.value.acts} shown={state.value.shown} onMore={(acts) => { state.value = { at: 'there', acts, shown: 'all' }; }} />}
    </section>
  );
}

function List({ acts, shown, onMore }: { readonly acts: readonly AccessView[]; readonly shown: 'first' | 'all'; readonly onMore: (acts: readonly AccessView[]) => void }) {
  if (acts.length === 0) return <p class="settings-text accesses-none">{texts.value.accesses.none}</p>;
  const listed = shown === 'all' ? acts : acts.slice(0, shownFirst);
  return (
    <>
      <ol class="accesses">
        {listed.map((act) => (
          <li key={`${act.time} ${act.sort}`}>
            <span><b>{act.who}</b> {texts.value.accesses.acts[act.sort]}</span>
            <small><time dateTime={act.time}>{mediumDate(Date.parse(act.time))}</time> · {texts.value.accesses.from(act.from)}</small>
          </li>
        ))}
      </ol>
      {listed.length < acts.length && <button class="button" type="button" onClick={() => onMore(acts)}>{texts.value.accesses.all(String(acts.length))}</button>}
    </>
  );
}
