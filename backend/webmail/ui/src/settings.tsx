/** The settings: the password, the sessions, and who has had access. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { errorText } from '../../../../shared/page/error-text.ts';
import type { PasswordAnswer } from '../../api.ts';
import { Accesses } from './accesses.tsx';
import { post } from './api.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import { signOutEverywhere } from './session.ts';
import { settings, strengthOf } from './settings-state.ts';
import { attempt, Toasts } from '../../../../shared/page/toasts.tsx';
import { texts } from './texts.ts';

export function Settings({ address }: { readonly address: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const close = (): void => {
    settings.value = 'closed';
  };
  return (
    <dialog ref={dialog} class="settings" aria-label={texts.value.settings} onCancel={close}>
      <header class="settings-head">
        <h2>{texts.value.settings}</h2>
        <button class="icon-button" type="button" aria-label={texts.value.closeSettings} title={texts.value.close} onClick={close}><Icon name="close" /></button>
      </header>
      <div class="settings-body">
        <PasswordForm address={address} />
        <Sessions />
        <Accesses />
      </div>
      <Toasts dismiss={texts.value.dismiss} />
    </dialog>
  );
}

type FormState = { readonly at: 'idle' | 'busy' } | { readonly at: 'failed' | 'done'; readonly text: string };

function PasswordForm({ address }: { readonly address: string }) {
  const state = useSignal<FormState>({ at: 'idle' });
  const [next, again] = [useSignal(''), useSignal('')];
  const differ = again.value !== '' && again.value !== next.value;
  const submit = async (form: HTMLFormElement): Promise<void> => {
    if (next.value !== again.value) {
      state.value = { at: 'failed', text: texts.value.password.differ };
      return;
    }
    state.value = { at: 'busy' };
    try {
      const { otherSessions } = await post<PasswordAnswer>('/api/password', { old: String(new FormData(form).get('old')), new: next.value });
      form.reset();
      next.value = again.value = '';
      state.value = { at: 'done', text: texts.value.password.done[otherSessions] };
    } catch (error) {
      state.value = { at: 'failed', text: errorText(error) };
      form.querySelector<HTMLInputElement>('[name=old]')?.select();
    }
  };
  return (
    <form class="settings-part" aria-labelledby="password-title" onSubmit={(event) => {
      event.preventDefault();
      void submit(event.currentTarget);
    }}>
      <h3 id="password-title">{texts.value.password.title}</h3>
      {'text' in state.value && <p class={state.value.at === 'failed' ? 'notice notice-error' : 'notice'} role={state.value.at === 'failed' ? 'alert' : 'status'}>{state.value.text}</p>}
      <input class="for-password-managers" name="username" type="text" autocomplete="username" value={address} readOnly tabIndex={-1} aria-hidden="true" />
      <label>
        <span>{texts.value.password.present}</span>
        <input name="old" type="password" autocomplete="current-password" maxLength={1024} required />
      </label>
      <label>
        <span>{texts.value.password.next}</span>
        <input name="new" type="password" autocomplete="new-password" maxLength={1024} required aria-describedby="strength" value={next.value} onInput={(event) => { next.value = event.currentTarget.value; }} />
      </label>
      <StrengthHint password={next.value} />
      <label>
        <span>{texts.value.password.again}</span>
        <input name="again" type="password" autocomplete="new-password" maxLength={1024} required aria-invalid={differ} value={again.value} onInput={(event) => { again.value = event.currentTarget.value; }} />
      </label>
      {differ && <p class="hint hint-wrong">{texts.value.password.notYet}</p>}
      <button class="button button-primary" type="submit" disabled={state.value.at === 'busy'}>{state.value.at === 'busy' ? texts.value.password.changing : texts.value.password.change}</button>
    </form>
  );
}

function StrengthHint({ password }: { readonly password: string }) {
  const level = strengthOf(password);
  return (
    <div class="strength" data-level={level}>
      <div class="strength-bar" aria-hidden="true"><i /><i /><i /></div>
      <p class="hint" id="strength" aria-live="polite">{texts.value.password.strength[level]}</p>
    </div>
  );
}

function Sessions() {
  const state = useSignal<'idle' | 'asking' | 'busy'>('idle');
  const end = async (): Promise<void> => {
    state.value = 'busy';
    if (!await attempt(signOutEverywhere)) state.value = 'idle';
  };
  return (
    <section class="settings-part" aria-labelledby="sessions-title">
      <h3 id="sessions-title">{texts.value.elsewhere.title}</h3>
      <p class="settings-text">{texts.value.elsewhere.explanation}</p>
      {state.value === 'idle'
        ? <button class="button" type="button" onClick={() => { state.value = 'asking'; }}><Icon name="signOut" /> {texts.value.elsewhere.everywhere}</button>
        : (
          <div class="settings-sure">
            <button class="button button-danger" type="button" disabled={state.value === 'busy'} onClick={() => void end()}>{state.value === 'busy' ? texts.value.elsewhere.busy : texts.value.elsewhere.sure}</button>
            <button class="button" type="button" disabled={state.value === 'busy'} onClick={() => { state.value = 'idle'; }}>{texts.value.cancel}</button>
          </div>
        )}
    </section>
  );
}
