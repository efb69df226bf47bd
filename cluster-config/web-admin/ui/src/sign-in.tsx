/** The sign-in form: name, password, and the code of the authenticator where one is set up. */
import { useSignal } from '@preact/signals';
import { errorText } from '../../../../shared/page/error-text.ts';
import { Logo } from '../../../../shared/page/logo.tsx';
import { signIn } from './session.ts';

export function SignIn({ note }: { readonly note: string }) {
  const state = useSignal<'idle' | 'busy'>('idle');
  const error = useSignal('');
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    const code = String(fields.get('code')).replace(/\s/g, '');
    state.value = 'busy';
    error.value = '';
    try {
      await signIn({ name: String(fields.get('name')).trim(), password: String(fields.get('password')), ...(code === '' ? {} : { code }) });
    } catch (thrown) {
      error.value = errorText(thrown);
      form.querySelector<HTMLInputElement>('[name=password]')?.select();
    } finally {
      state.value = 'idle';
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}>
        <Logo />
        <h1>Sign in to administer</h1>
        {note !== '' && error.value === '' && <p class="notice" role="status">{note}</p>}
        {error.value !== '' && <p class="notice notice-error" role="alert">{error.value}</p>}
        <label>
          <span>Name</span>
          <input name="name" type="text" autocomplete="username" autocapitalize="none" spellcheck={false} maxLength={64} required autofocus />
        </label>
        <label>
          <span>Password</span>
          <input name="password" type="password" autocomplete="current-password" maxLength={1024} required />
        </label>
        <label>
          <span>Code <small class="hint">if your sign-in has an authenticator</small></span>
          <input name="code" type="text" inputMode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" maxLength={8} title="Six digits" />
        </label>
        <button class="button button-primary" type="submit" disabled={state.value === 'busy'}>{state.value === 'busy' ? 'Signing in …' : 'Sign in'}</button>
      </form>
    </main>
  );
}
